/** Runs in each worker before a test file, when the plugin is used. */
import { endPool } from '@coldboot/core'
import { afterAll } from 'vitest'
import './expect.ts'

// The terminal sends Ctrl-C to the workers too. They must live on, or no test could end its machines in order: the main
// process cancels the run instead.
const ignored = Symbol.for('coldboot.interruptIgnored')
if (!Reflect.has(process, ignored)) {
  Reflect.set(process, ignored, true)
  process.on('SIGINT', () => {})
}

// Machines made ahead for tests that do not come.
afterAll(endPool)
