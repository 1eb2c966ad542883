/** Removes secrets from errors before the test runner reports them. */
import type { Redactor } from '@coldboot/report'

/** Properties of an error that are not enumerable. */
const HIDDEN = ['message', 'stack', 'cause'] as const
/** Limits the depth, because errors may refer to each other in a cycle. */
const DEEPEST = 8

/** Redacts all strings of the errors in place, including those of nested objects and errors. */
export function redactErrors(errors: readonly object[], redactor: Redactor): void {
  if (redactor.active) for (const error of errors) redactIn(error, redactor, DEEPEST)
}

function redactIn(holder: object, redactor: Redactor, depth: number): void {
  for (const key of new Set([...Object.keys(holder), ...HIDDEN])) {
    const value: unknown = Reflect.get(holder, key)
    if (typeof value === 'string') {
      const text = redactor.text(value)
      // Fails silently for frozen objects, which are never part of a report.
      if (text !== value) Reflect.set(holder, key, text)
    } else if (depth > 0 && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      redactIn(value, redactor, depth - 1)
    }
  }
}
