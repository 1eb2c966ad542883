/** The end of the warm pool, apart from the pool itself: where no machine was asked for, there is nothing to load. */

const ends = new Set<() => Promise<void>>()

/** Has `end` called at each {@link endPool}. */
export function onEndPool(end: () => Promise<void>): void {
  ends.add(end)
}

/** Ends all pooled machines. */
export async function endPool(): Promise<void> {
  await Promise.all([...ends].map((end) => end()))
}
