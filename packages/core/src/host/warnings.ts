/** Warnings, each emitted once per process with `process.emitWarning`. */

const given = new Set<string>()

/** Emits a `ColdbootWarning` unless the same text was emitted before. */
export function warnOnce(message: string): void {
  if (given.has(message)) return
  given.add(message)
  process.emitWarning(message, 'ColdbootWarning')
}
