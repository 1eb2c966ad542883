/** Modules of Node that take long to load, and that few test files need: loaded at the first use. */

/** `node:crypto`. Loading it takes a sixth of the time that an import of the fixtures takes. */
export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
