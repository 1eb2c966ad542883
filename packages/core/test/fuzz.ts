/**
 * Random input for tests of readers of untrusted data. A failure prints the seed and the input, and `FUZZ_SEED` repeats
 * it. `FUZZ_FACTOR` multiplies the number of inputs.
 */
import fc from 'fast-check'

const seed = process.env['FUZZ_SEED']
const factor = Number(process.env['FUZZ_FACTOR'] ?? 1)

/** Parameters of `fc.assert`. @param numRuns number of inputs */
export function fuzz(numRuns: number): fc.Parameters<unknown> & { readonly numRuns: number } {
  return { numRuns: Math.max(1, Math.round(numRuns * factor)), ...(seed === undefined ? {} : { seed: Number(seed) }) }
}

/** One change of bytes, at a position that is taken modulo their length. */
type Change = readonly [kind: 'flip' | 'set' | 'cut' | 'remove' | 'repeat' | 'insert', at: number, value: number]

const change: fc.Arbitrary<Change> = fc.tuple(
  fc.constantFrom('flip', 'flip', 'set', 'set', 'cut', 'remove', 'repeat', 'insert'),
  fc.nat(2 ** 31 - 1),
  fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xfe, 0xff), fc.nat(255)),
)

/** Damaged copies of these samples. */
export function damaged(...samples: readonly Uint8Array[]): fc.Arbitrary<Buffer> {
  return fc
    .tuple(fc.constantFrom(...samples), fc.array(change, { minLength: 1, maxLength: 8 }))
    .map(([sample, changes]) => changes.reduce(changed, Buffer.from(sample)))
}

function changed(bytes: Buffer, [kind, place, value]: Change): Buffer {
  const at = bytes.length === 0 ? 0 : place % bytes.length
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (kind) {
    case 'flip':
    case 'set': {
      if (bytes.length > 0) bytes.writeUInt8(kind === 'set' ? value : bytes.readUInt8(at) ^ (1 << (value & 7)), at)
      return bytes
    }
    case 'cut':
      return Buffer.from(before)
    case 'remove':
      return Buffer.concat([before, after.subarray(value)])
    case 'repeat':
      return Buffer.concat([before, after.subarray(0, value), after])
    case 'insert':
      return Buffer.concat([before, Buffer.alloc(value & 15, value), after])
  }
}

/** Splits data at the given positions, modulo the length. */
export function pieces<Data extends Uint8Array>(whole: Data, places: readonly number[]): Data[] {
  const cuts = [0, ...places.map((place) => place % (whole.length + 1)), whole.length].toSorted((a, b) => a - b)
  return cuts.slice(1).map((end, index) => whole.subarray(cuts[index], end) as Data)
}

/** Positions for {@link pieces}. */
export const cuts: fc.Arbitrary<readonly number[]> = fc.array(fc.nat(2 ** 20), { maxLength: 12 })
