// @ts-check
/**
 * Prints the modules that an import loads: `node count-modules.mjs FOLDER SPECIFIER`. Entries that only run inside of a test
 * runner fail, but only after their modules were loaded.
 */
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const [folder = '', specifier = ''] = process.argv.slice(2)
/** @type {string[]} */
const names = []
/** @type {string[]} */
const builtins = []
let bytes = 0
registerHooks({
  load(url, context, next) {
    const result = next(url, context)
    if (url.startsWith('node:')) builtins.push(url)
    const path = url.startsWith('file:') ? fileURLToPath(url) : ''
    if (path.startsWith(join(folder, 'node_modules'))) {
      names.push(path.slice(folder.length))
      bytes += Buffer.byteLength(result.source ?? '')
    }
    return result
  },
})
const resolved = specifier.startsWith('/') ? specifier : createRequire(join(folder, 'importer.js')).resolve(specifier)
await import(pathToFileURL(resolved).href).catch(() => {})
console.log(JSON.stringify({ modules: names.length, bytes, names, builtins }))
