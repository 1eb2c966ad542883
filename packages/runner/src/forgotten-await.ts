/** Detects waits without `await`, because such a test passes whatever the VM prints. */
import { ExpectError, type VM } from '@coldboot/core'
import { type CallSite } from '@coldboot/core/internal'
import { pendingOn } from '@coldboot/matchers'
import { sectionsOf, spaceOut } from './reported-error.ts'

/** The error for a test that ended with a pending wait or start; undefined without one. */
export function forgottenAwait(machines: readonly VM[], starting: readonly CallSite[]): ExpectError | undefined {
  const waits = machines.flatMap(pendingOn)
  if (waits.length === 0 && starting.length === 0) return undefined
  // The calls reject when the VMs end. The error below already reports them.
  for (const { result } of machines.flatMap((vm) => vm.pendingCalls)) result.catch(() => {})
  const what = waits.map((wait) => wait.what)
  const count = starting.length
  if (count > 0) what.push(`${count} machine${count === 1 ? ' was' : 's were'} still starting`)
  const error = new ExpectError('FORGOTTEN_AWAIT', `The test ended while ${what.join(', ')}`, {
    sections: sectionsOf(machines, machines.length > 1),
  })
  const places = [...waits, ...starting].flatMap(({ location }) =>
    location === undefined ? [] : [`    at ${location}`],
  )
  error.stack = [error.message, ...places].join('\n')
  spaceOut(error)
  return error
}
