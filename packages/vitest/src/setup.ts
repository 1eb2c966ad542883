/** Setup file of the plugin. Runs in each worker before a test file. */
import { endPool } from '@coldboot/core'
import { afterAll, beforeEach, inject } from 'vitest'
import './expect.ts'
import { explainMissingFixtures } from './missing-fixtures.ts'

// The terminal also sends Ctrl-C to the workers, which must ignore it to end their machines. The main process cancels the
// run.
const ignored = Symbol.for('coldboot.interruptIgnored')
if (!Reflect.has(process, ignored)) {
  Reflect.set(process, ignored, true)
  process.on('SIGINT', () => {})
}

// Node has read the variable. Programs that a test starts do not inherit it.
if (process.env['NODE_COMPILE_CACHE'] === inject('coldbootCompiled')) delete process.env['NODE_COMPILE_CACHE']

// In a `vm` realm, modules are unloaded after each file. Other workers end their pool at their end; see `machine-fixtures.ts`.
if (!(process instanceof Object)) afterAll(endPool)

beforeEach(({ task }) => explainMissingFixtures(task.context))
