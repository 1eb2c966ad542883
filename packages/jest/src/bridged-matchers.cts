/** `@coldboot/matchers` for test files, as the environment has loaded it. The preset maps the name to this. */
import type { Bridge } from './bridge.ts' with { 'resolution-mode': 'import' }

const bridge: Bridge = Reflect.get(globalThis, Symbol.for('coldboot.jest'))
// A plain object: of a namespace Jest would not see the names.
module.exports = { ...bridge.modules.matchers }
