/** Takes secrets out of errors that a runner is about to report. */
import type { Redactor } from '@coldboot/report'

/** Of an error, besides what can be enumerated. */
const HIDDEN = ['message', 'stack', 'cause'] as const
/** Errors may refer to each other in a circle. */
const DEEPEST = 8

/** Changes the errors themselves: all their texts, and those of the plain objects and errors in them. */
export function redactErrors(errors: readonly object[], redactor: Redactor): void {
  if (redactor.active) for (const error of errors) redactIn(error, redactor, DEEPEST)
}

function redactIn(holder: object, redactor: Redactor, depth: number): void {
  for (const key of new Set([...Object.keys(holder), ...HIDDEN])) {
    const value: unknown = Reflect.get(holder, key)
    if (typeof value === 'string') {
      const text = redactor.text(value)
      // What is frozen stays: it is not a runner’s report then.
      if (text !== value) Reflect.set(holder, key, text)
    } else if (depth > 0 && typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
      redactIn(value, redactor, depth - 1)
    }
  }
}
