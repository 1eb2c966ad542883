/** Warnings of this project: once each in a process, through Node's own channel, where runners and users can see them. */

const given = new Set<string>()

/** Emits a `ColdbootWarning` unless the same text was emitted before. */
export function warnOnce(message: string): void {
  if (given.has(message)) return
  given.add(message)
  process.emitWarning(message, 'ColdbootWarning')
}
