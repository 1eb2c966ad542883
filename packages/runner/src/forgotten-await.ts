/** A wait that nobody awaits: the test would pass whatever the machine prints. */
import { ExpectError, type VM } from '@coldboot/core'
import { pendingOn } from '@coldboot/matchers'
import { sectionsOf, spaceOut } from './reported-error.ts'

/** The error for a test that would pass although it still waits; undefined when it does not. */
export function forgottenAwait(machines: readonly VM[], starting: number): ExpectError | undefined {
  const waits = machines.flatMap(pendingOn)
  if (waits.length === 0 && starting === 0) return undefined
  const what = waits.map((wait) => wait.what)
  if (starting > 0) what.push(`${starting} more machine${starting === 1 ? ' was' : 's were'} being started`)
  const error = new ExpectError('FORGOTTEN_AWAIT', `The test ended while ${what.join(', ')}`, {
    sections: sectionsOf(machines, machines.length > 1),
  })
  const places = waits.flatMap(({ location }) => (location === undefined ? [] : [`    at ${location}`]))
  error.stack = [error.message, ...places].join('\n')
  spaceOut(error)
  return error
}
