import { expect, test } from 'vitest'
import { Stillness } from './stillness.ts'

const [A, B, C] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]

/** Time at which the screen counts as still, for screenshots taken every 100 ms. */
function stillAt(pictures: readonly Uint8Array[]): number | undefined {
  const stillness = new Stillness(0)
  const index = pictures.findIndex((picture, at) => stillness.look(Uint8Array.from(picture), at * 100))
  return index < 0 ? undefined : index * 100
}

test.for([
  ['a screen without changes is still after 600 ms', [A, A, A, A, A, A, A, A], 600],
  ['a screen that changes once is still 600 ms later', [A, A, B, B, B, B, B, B, B, B], 800],
  ['a screen with a blinking cursor is still after 600 ms', [A, A, B, B, A, A, B, B], 600],
  ['a screen that changes and then only blinks is still', [C, A, A, B, B, A, A, B, B], 700],
  ['a screen that keeps changing is never still', [A, B, C, A, B, C, A, B, C, A], undefined],
] as const)('%s', ([, pictures, at]) => {
  expect(stillAt(pictures)).toBe(at)
})
