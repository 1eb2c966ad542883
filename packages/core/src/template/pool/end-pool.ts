/** Ends the machines of the warm pool. Does not load the pool, because many processes start no machine. */

const ends = new Set<() => Promise<void>>()

/** Registers a function that {@link endPool} calls. */
export function onEndPool(end: () => Promise<void>): void {
  ends.add(end)
}

/** Ends all pooled machines. */
export async function endPool(): Promise<void> {
  await Promise.all([...ends].map((end) => end()))
}
