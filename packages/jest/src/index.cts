/**
 * What test files import. CommonJS, for both kinds of them: it loads nothing, and takes everything from the environment.
 * @see bridge.ts
 */

import type { Bridge } from './bridge.ts' with { 'resolution-mode': 'import' }

export type { Match, Pattern, PatternInput, VM, VMOptions } from '@coldboot/core' with { 'resolution-mode': 'import' }
export type { Machines, MachineTest, VMOptionsSource } from './bridge.ts' with { 'resolution-mode': 'import' }

const bridge: Bridge | undefined = Reflect.get(globalThis, Symbol.for('coldboot.jest'))
if (bridge === undefined) {
  const what = 'This test does not run in the environment of @coldboot/jest'
  const hint =
    'Set `preset: "@coldboot/jest"` in the Jest configuration, or `testEnvironment: "@coldboot/jest/environment"`.'
  throw Object.assign(new Error(`${what}\n${hint}`), { code: 'JEST_ENVIRONMENT_MISSING' })
}

export const useVM: Bridge['useVM'] = bridge.useVM
export const withVM: Bridge['withVM'] = bridge.withVM
export const bootVM: Bridge['bootVM'] = bridge.bootVM
