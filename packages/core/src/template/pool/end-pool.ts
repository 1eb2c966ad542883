/** Ends the machines of the warm pool. Apart from the pool, because many processes start no machine. */

const ends = new Set<() => Promise<void>>()

/** Has `end` called at each {@link endPool}. */
export function onEndPool(end: () => Promise<void>): void {
  ends.add(end)
}

/** Ends all pooled machines. */
export async function endPool(): Promise<void> {
  await Promise.all([...ends].map((end) => end()))
}
