// @ts-check
/** The repository's own lint rules, which oxlint loads as a plugin. */
import { readdirSync } from 'node:fs'
import { basename, dirname, join, relative, sep } from 'node:path'
import { ENTRIES, FILES_PER_FOLDER, FOLDERS, PACKAGES, SPAWNER, SPAWNING_MODULES } from './borders.mjs'
import { bannedPhrases, isCovered } from './plain-english.mjs'

/**
 * @typedef {{ type: string, source?: Node | null, declaration?: Node | null, value?: unknown, body?: Node[] }} Node
 * @typedef {{ type: string, value: string, range: [number, number] }} Comment
 * @typedef {{ text: string, getAllComments(): (Node & Comment)[], getText(node: Node): string }} SourceCode
 * @typedef {{ node: Node, message: string }} Problem
 * @typedef {{ cwd: string, filename: string, sourceCode: SourceCode, report(problem: Problem): void }} Context
 */

/** The linted file, relative to the repository. @param {Context} context */
function fileOf(context) {
  return relative(context.cwd, context.filename).split(sep).join('/')
}

/** Returns the reason why `file` must not import `specifier`; undefined if it may. Paths are relative to the repository.
 * @param {string} file @param {string} specifier @returns {string | undefined} */
export function crossedBorder(file, specifier) {
  const [, home = '', path = ''] = /^packages\/([^/]+)\/src\/(.+)$/.exec(file) ?? []
  if (home === '') return undefined
  if (specifier.startsWith('.')) {
    const target = join(dirname(file), specifier).split(sep).join('/')
    const root = `packages/${home}/src/`
    if (!target.startsWith(root)) return `${specifier} leaves packages/${home}/src: import another package by its name.`
    return home === 'core' ? crossedFolder(path, target.slice(root.length)) : undefined
  }
  const other = /^(?:@coldboot\/([^/]+)|(mkfatfs-wasm))(?:\/|$)/.exec(specifier)
  if (other) {
    const allowed = PACKAGES[home] ?? []
    if (allowed.includes(other[1] ?? other[2] ?? '')) return undefined
    return `packages/${home} may import ${list(allowed)} of this workspace, not ${specifier}.`
  }
  if (home === 'core' && path !== SPAWNER && SPAWNING_MODULES.includes(specifier)) {
    return `Only core/src/${SPAWNER} starts processes: use it instead of importing ${specifier}.`
  }
  return undefined
}

/** @param {string} from @param {string} to both relative to core/src @returns {string | undefined} */
function crossedFolder(from, to) {
  if (ENTRIES.includes(to)) return `${to} is an entry of the package: import the file that declares the name.`
  if (ENTRIES.includes(from)) return undefined
  const folder = folderOf(from)
  const allowed = FOLDERS[folder]
  if (allowed === undefined) return `core/src/${from} is in a folder without a row in scripts/lint/borders.mjs.`
  if ([folder, ...allowed].some((it) => to === it || to.startsWith(`${it}/`))) return undefined
  return `core/src/${folder} may import ${list(allowed)} of core, not ${to}.`
}

/** The nearest parent of `file` with a row in the table. @param {string} file relative to core/src */
function folderOf(file) {
  let folder = file
  while (!(folder in FOLDERS) && folder.includes('/')) folder = dirname(folder)
  return folder
}

/** @param {readonly string[]} names */
function list(names) {
  return names.length === 0 ? 'nothing' : names.join(', ')
}

const borders = {
  /** @param {Context} context */
  create(context) {
    const file = fileOf(context)
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

const folderSize = {
  /** @param {Context} context */
  create(context) {
    const [, folder] = /^packages\/core\/src\/(?:(.+)\/)?[^/]+$/.exec(fileOf(context)) ?? [undefined, null]
    if (folder === null || FILES_PER_FOLDER.unlimited.includes(folder ?? '')) return {}
    return {
      /** @param {Node} node */
      Program(node) {
        const files = readdirSync(dirname(context.filename)).filter((name) => /(?<!\.test|\.test-d)\.ts$/.test(name))
        const limit = folder === undefined ? FILES_PER_FOLDER.top : FILES_PER_FOLDER.folder
        // Reported once per folder, at its first file.
        if (files.length <= limit || files.sort()[0] !== basename(context.filename)) return
        const message = `core/src/${folder ?? ''} has ${files.length} files, more than ${limit}: split it where its imports allow.`
        context.report({ node, message })
      },
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
            message: 'index.ts may only contain exports: no declarations, imports or statements.',
          })
        }
      },
    }
  },
}

/** The comments of a file; consecutive line comments are one block. @param {SourceCode} sourceCode */
function commentBlocks(sourceCode) {
  /** @type {{ first: Node, text: string, isLine: boolean, end: number }[]} */
  const blocks = []
  for (const comment of sourceCode.getAllComments()) {
    const [start, end] = comment.range
    const isLine = comment.type === 'Line'
    const last = blocks.at(-1)
    if (last?.isLine && isLine && sourceCode.text.slice(last.end, start).trim() === '') {
      last.text += `\n${comment.value}`
      last.end = end
    } else blocks.push({ first: comment, text: comment.value, isLine, end })
  }
  return blocks
}

const plainEnglish = {
  /** @param {Context} context */
  create(context) {
    if (!isCovered(fileOf(context))) return {}
    /** @param {Node} node @param {string} text */
    const check = (node, text) => {
      for (const message of bannedPhrases(text)) context.report({ node, message })
    }
    /** @param {Node} node */
    const checkSource = (node) => check(node, context.sourceCode.getText(node))
    return {
      Program() {
        for (const { first, text } of commentBlocks(context.sourceCode)) check(first, text)
      },
      Literal: checkSource,
      TemplateElement: checkSource,
      JSXText: checkSource,
    }
  },
}

export default {
  meta: { name: 'coldboot' },
  rules: { borders, 'folder-size': folderSize, 'only-exports': onlyExports, 'plain-english': plainEnglish },
}
