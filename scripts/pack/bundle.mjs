// @ts-check
/**
 * Bundles the JavaScript of a package for publishing: one file per entry, and one per part that is loaded on demand. Every worker
 * of a test run loads the package again, and loading one file is much faster than loading a hundred small ones.
 *
 * The bundle contains the `devDependencies` of a package, but not its `dependencies`. Types are in `dist`.
 */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { rolldown } from 'rolldown'
import { thirdPartyLicenses } from './third-party-licenses.mjs'

/** The folder in a package that the bundle is written to. */
const BUNDLE = 'bundle'
/** Licences of the bundled packages. */
const LICENSES = 'THIRD-PARTY-LICENSES.txt'
/** File that is written last. Its modification time is that of the bundle. */
const STAMP = '.complete'

/** Warnings to ignore: {@link keepsPlace} shifts the rest of a line in source maps, and CommonJS files in TypeScript use `module`. */
const EXPECTED_LOGS = ['SOURCEMAP_BROKEN', 'COMMONJS_VARIABLE_IN_ESM']

/** Files that are loaded by their path instead of an export. */
const LOADED_BY_PATH = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  '@coldboot/core': ['template/keeper/keeper-process.js'],
  '@coldboot/vitest': ['setup.js'],
  '@coldboot/jest': ['bridged-core.cjs', 'bridged-guest.cjs', 'bridged-matchers.cjs'],
})

/**
 * Sources that always load the parts of the preceding ones. Each gets one file with its own parts, instead of several files that
 * are shared with later parts.
 */
const LAYERS = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  '@coldboot/core': ['index', 'internal', 'template/keeper/pool-keeper', 'template/start-ready'],
  '@coldboot/guest': ['index'],
})

/**
 * @typedef {object} Manifest
 * @property {string} name
 * @property {Readonly<Record<string, string>>} [dependencies]
 * @property {Readonly<Record<string, string>>} [peerDependencies]
 * @property {Readonly<Record<string, string>>} [optionalDependencies]
 * @property {{ readonly exports?: unknown, readonly bin?: unknown }} [publishConfig] replaces the fields of the same names
 *   in the published manifest
 */

/** Whether a package is published as a bundle. @param {string} folder of the package */
export function isBundled(folder) {
  return existsSync(join(folder, 'package.json')) && entriesOf(readManifest(folder)).length > 0
}

/** Bundles a package, unless its bundle is newer than its sources. @param {string} folder of the package */
export async function bundlePackage(folder) {
  if (isFresh(folder)) return
  const manifest = readManifest(folder)
  const entries = entriesOf(manifest)
  /** @type {Set<string>} */
  const modules = new Set()
  for (const format of /** @type {const} */ (['esm', 'cjs'])) {
    const extension = format === 'esm' ? '.js' : '.cjs'
    const names = entries.filter((name) => name.endsWith(extension)).map((name) => name.slice(0, -extension.length))
    if (names.length === 0) continue
    const build = await rolldown({
      input: Object.fromEntries(names.map((name) => [name, sourceOf(folder, name)])),
      platform: 'node',
      tsconfig: join(folder, 'tsconfig.json'),
      external: externalsOf(manifest),
      transform: { target: 'node22.12' },
      plugins: [keepsPlace(join(folder, 'src'))],
      onLog(level, log, handler) {
        // The published package could not be imported.
        if (log.code === 'UNRESOLVED_IMPORT') throw new Error(log.message)
        if (!EXPECTED_LOGS.includes(log.code ?? '')) handler(level, log)
      },
    })
    const { output } = await build.write({
      dir: join(folder, BUNDLE),
      format,
      sourcemap: true,
      comments: { annotation: true, jsdoc: false, legal: true },
      entryFileNames: `[name]${extension}`,
      chunkFileNames: `[name]-[hash]${extension}`,
      codeSplitting: {
        groups: (LAYERS[manifest.name] ?? []).map((entry, layer, { length }) => {
          const source = sourceOf(folder, entry)
          // A module of several layers belongs to the first layer, which has the highest priority.
          return { name: basename(entry), test: (id) => id === source, priority: length - layer }
        }),
      },
      // The first format empties the folder.
      cleanDir: format === 'esm',
    })
    await build.close()
    for (const chunk of output) if (chunk.type === 'chunk') for (const id of chunk.moduleIds) modules.add(id)
  }
  const licenses = thirdPartyLicenses([...modules])
  if (licenses !== '') writeFileSync(join(folder, BUNDLE, LICENSES), licenses)
  writeFileSync(join(folder, BUNDLE, STAMP), '')
}

/** @param {string} folder @returns {Manifest} */
function readManifest(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
}

/** File names of the bundle's entries. @param {Manifest} manifest @returns {readonly string[]} */
function entriesOf({ name, publishConfig: { exports, bin } = {} }) {
  const targets = JSON.stringify([exports, bin]).matchAll(/"\.\/bundle\/([\w-]+\.c?js)"/g)
  const exported = [...targets].map(([, file = '']) => file)
  return exported.length === 0 ? [] : [...new Set([...exported, ...(LOADED_BY_PATH[name] ?? [])])]
}

/** @param {Manifest} manifest @returns {(id: string) => boolean} */
function externalsOf({ dependencies = {}, peerDependencies = {}, optionalDependencies = {} }) {
  const names = Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies })
  return (id) => names.some((name) => id === name || id.startsWith(`${name}/`))
}

/** @param {string} folder @param {string} name of an entry, without its extension */
function sourceOf(folder, name) {
  const paths = ['.ts', '.cts'].map((extension) => join(folder, 'src', name + extension))
  const found = paths.find((path) => existsSync(path))
  if (found === undefined) throw new Error(`${folder}: the entry ${name} has no source`)
  return found
}

/**
 * Keeps `import.meta.url` of a source relative to its folder, although all sources of a bundle are in one folder.
 * @param {string} sources @returns {import('rolldown').Plugin}
 */
function keepsPlace(sources) {
  return {
    name: 'keeps-place',
    transform: {
      filter: { code: /import\.meta\.url/ },
      handler(code, id) {
        const place = relative(sources, dirname(id))
        if (place === '' || place.startsWith('..')) return undefined
        return code.replaceAll('import.meta.url', `new URL(${JSON.stringify(`./${place}/`)}, import.meta.url).href`)
      },
    },
  }
}

/** @param {string} folder */
function isFresh(folder) {
  const stamp = statSync(join(folder, BUNDLE, STAMP), { throwIfNoEntry: false })
  if (stamp === undefined) return false
  const sources = readdirSync(join(folder, 'src'), { recursive: true, encoding: 'utf8' }).map((name) =>
    join('src', name),
  )
  return ['package.json', 'src', ...sources].every((file) => statSync(join(folder, file)).mtimeMs < stamp.mtimeMs)
}
