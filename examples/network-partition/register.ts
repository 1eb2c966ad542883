/** Checks the history of a register, a value that several clients write and read concurrently. */

/** A write or a read. A history does not contain reads without an answer. */
export interface Operation {
  readonly node: string
  readonly kind: 'write' | 'read'
  /** Unique for each write. */
  readonly value: string
  /** Time at which the client sent the request, milliseconds. */
  readonly start: number
  /** Time of the answer, milliseconds. `Infinity` for a write without an answer, which can take effect later or never. */
  readonly end: number
}

/**
 * Checks that the history is linearizable: each operation can have taken effect at a moment between its start and its end, so
 * that each read returned the last written value. For a register, this is the case unless a value was seen before another one
 * and also after it.
 *
 * @throws Error with operations that contradict each other
 */
export function checkRegister(history: readonly Operation[]): void {
  const values = [...Map.groupBy(history, ({ value }) => value)].map(([value, operations]) => ({
    value,
    write: operations.find(({ kind }) => kind === 'write'),
    firstEnd: operations.reduce((one, other) => (other.end < one.end ? other : one)),
    lastStart: operations.reduce((one, other) => (other.start > one.start ? other : one)),
  }))
  for (const { value, write, firstEnd, lastStart } of values) {
    if (write === undefined || firstEnd.end < write.start) throw contradiction('that was not written', [firstEnd])
    for (const other of values) {
      const wasBefore = firstEnd.end < other.lastStart.start
      const isAfter = other.firstEnd.end < lastStart.start
      if (value !== other.value && wasBefore && isAfter && lastStart.kind === 'read') {
        const why = `after "${other.value}" had replaced it`
        throw contradiction(why, [lastStart, write, firstEnd, other.firstEnd, other.lastStart])
      }
    }
  }
}

function contradiction(why: string, [read, ...others]: readonly [Operation, ...Operation[]]): Error {
  const lines = [...new Set([read, ...others])]
    .toSorted((one, other) => one.start - other.start)
    .map(
      ({ node, kind, value, start, end }) =>
        `  ${Math.round(start)} to ${Math.round(end)} ms: ${node}, ${kind} "${value}"`,
    )
  return new Error(`${read.node} read "${read.value}" ${why}:\n${lines.join('\n')}`)
}
