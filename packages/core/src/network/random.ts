/** Seeded random numbers, so that an impaired network loses the same frames in each run. */

/**
 * Returns a generator of numbers from 0 up to, but not including, 1: Mulberry32, with a state of 32 bits.
 * @param seeds whole numbers; another list gives another sequence
 */
export function randomNumbers(...seeds: readonly number[]): () => number {
  let state = 0
  for (const seed of seeds) state = mix(state ^ (seed | 0))
  return () => {
    state = (state + 0x6d2b79f5) | 0
    return (mix(state) >>> 0) / 0x1_0000_0000
  }
}

function mix(value: number): number {
  let mixed = (value + 0x6d2b79f5) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
  return mixed ^ (mixed >>> 14)
}
