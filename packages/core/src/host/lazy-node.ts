/** Loads Node modules that are slow to load and that few test files need, at the first use. */

/** `node:crypto`. It would take a sixth of the load time of the fixtures. */
export function nodeCrypto(): typeof import('node:crypto') {
  return process.getBuiltinModule('node:crypto')
}
