import { expect, test } from 'vitest'
import { Stillness } from './stillness.ts'

const [A, B, C] = [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]

/** When the screen was found to hold still, of pictures 100 ms apart. */
function stillAt(pictures: readonly Uint8Array[]): number | undefined {
  const stillness = new Stillness(0)
  const index = pictures.findIndex((picture, at) => stillness.look(Uint8Array.from(picture), at * 100))
  return index < 0 ? undefined : index * 100
}

test.for([
  ['one picture', [A, A, A, A, A, A, A, A], 600],
  ['a change', [A, A, B, B, B, B, B, B, B, B], 800],
  ['a cursor', [A, A, B, B, A, A, B, B], 600],
  ['a change, and a cursor', [C, A, A, B, B, A, A, B, B], 700],
  ['a picture that goes on changing', [A, B, C, A, B, C, A, B, C, A], undefined],
] as const)('%s', ([, pictures, at]) => {
  expect(stillAt(pictures)).toBe(at)
})
