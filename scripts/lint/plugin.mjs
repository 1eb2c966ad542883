// @ts-check
/** Lint rules of this repository, loaded by oxlint as a plugin: `coldboot/borders` and `coldboot/only-exports`. */
import { dirname, join, relative, sep } from 'node:path'
import { ABOVE_THE_FACE, PACKAGES, ROOMS, SPAWNER, SPAWNING_MODULES } from './borders.mjs'

/**
 * @typedef {{ type: string, source?: Node | null, declaration?: Node | null, value?: unknown, body?: Node[] }} Node
 * @typedef {{ cwd: string, filename: string, report(problem: { node: Node, message: string }): void }} Context
 */

/** Why `file` may not import `specifier`, or undefined when it may. Paths are relative to the repository.
 * @param {string} file @param {string} specifier @returns {string | undefined} */
export function crossedBorder(file, specifier) {
  const [, home = '', path = ''] = /^packages\/([^/]+)\/src\/(.+)$/.exec(file) ?? []
  if (home === '') return undefined
  if (specifier.startsWith('.')) {
    const target = join(dirname(file), specifier).split(sep).join('/')
    const root = `packages/${home}/src/`
    if (!target.startsWith(root)) return `${specifier} leaves packages/${home}/src: import another package by its name.`
    return home === 'core' ? crossedRoom(path, target.slice(root.length)) : undefined
  }
  const other = /^(?:@coldboot\/([^/]+)|(mkfatfs-wasm))(?:\/|$)/.exec(specifier)
  if (other) {
    const allowed = PACKAGES[home] ?? []
    if (allowed.includes(other[1] ?? other[2] ?? '')) return undefined
    return `packages/${home} may import ${list(allowed)} of this workspace, not ${specifier}.`
  }
  if (home === 'core' && path !== SPAWNER && SPAWNING_MODULES.includes(specifier)) {
    return `Only core/src/${SPAWNER} starts processes: ask it instead of importing ${specifier}.`
  }
  return undefined
}

/** @param {string} from @param {string} to both relative to core/src @returns {string | undefined} */
function crossedRoom(from, to) {
  if (to === 'index.ts') return 'index.ts is for users of the package: import the file that has it.'
  if (from === 'index.ts') return undefined
  if (from === 'vm.ts' && !ABOVE_THE_FACE.includes(to)) return undefined
  if (from === 'vm.ts') return `vm.ts is below ${to}.`
  if (to === 'vm.ts' && ABOVE_THE_FACE.includes(from)) return undefined
  if (to === 'vm.ts') return `Nothing but index.ts and ${list(ABOVE_THE_FACE)} imports vm.ts: it is the face.`
  const room = from.includes('/') ? from.replace(/\/.*/, '/') : from
  const allowed = ROOMS[room]
  if (allowed === undefined && !room.endsWith('/')) return undefined
  if (room.endsWith('/') && to.startsWith(room)) return undefined
  if (allowed?.some((it) => (it.endsWith('/') ? to.startsWith(it) : to === it))) return undefined
  return `core/src/${room} may import ${list(allowed ?? [])} of core, not ${to}.`
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length === 0 ? 'nothing' : names.join(', ')
}

const borders = {
  /** @param {Context} context */
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/')
    /** @param {Node} node */
    const check = (node) => {
      const specifier = node.source?.value
      if (typeof specifier !== 'string') return
      const message = crossedBorder(file, specifier)
      if (message !== undefined) context.report({ node, message })
    }
    return {
      ImportDeclaration: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
      ImportExpression: check,
      TSImportType: check,
    }
  },
}

const onlyExports = {
  /** @param {Context} context */
  create(context) {
    return {
      /** @param {Node} program */
      Program(program) {
        for (const node of program.body ?? []) {
          if (/^Export(All|Named)Declaration$/.test(node.type) && !node.declaration) continue
          context.report({
            node,
            message: 'index.ts is a table of exports: no declarations, no imports, no statements.',
          })
        }
      },
    }
  },
}

export default { meta: { name: 'coldboot' }, rules: { borders, 'only-exports': onlyExports } }
