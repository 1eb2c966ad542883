/** `@coldboot/core` for test files, loaded by the environment. The preset maps the name to this file. */
import type { Bridge } from './bridge.ts' with { 'resolution-mode': 'import' }

const bridge: Bridge = Reflect.get(globalThis, Symbol.for('coldboot.jest'))
// Jest does not see the names of a namespace object.
module.exports = { ...bridge.modules.core }
