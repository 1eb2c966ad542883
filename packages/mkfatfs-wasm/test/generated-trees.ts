/** Generators of trees for property tests, with all kinds of names that FAT can store, and sizes around all limits. */
import fc from 'fast-check'
import { foldCase } from '../src/names/case-fold.ts'
import { whyInvalid } from '../src/names/long-name.ts'
import type { Files } from './scratch.ts'

/** Contents of a file: size in bytes, and a seed. */
interface Contents {
  readonly size: number
  readonly seed: number
}

const characters = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...'abcxyzABCXYZ0189') },
  { weight: 3, arbitrary: fc.constantFrom(..." ._-~+,;=[]()!#$%&'@^`{}") },
  { weight: 1, arbitrary: fc.constantFrom('é', 'ß', 'Ω', 'ж', '日', '本', 'ﬁ', '\u0301', '😀', '🦊', '𝔘', 'İ', 'ǅ') },
)
const shortNames = fc.stringMatching(/^[A-Za-z0-9_~-]{1,8}(\.[A-Za-z0-9_]{1,3})?$/)
const longNames = fc.string({ unit: characters, minLength: 1, maxLength: 40 })
const endlessNames = fc
  .integer({ min: 100, max: 250 })
  .map((length) => 'long name '.repeat(30).slice(0, length - 4) + '.txt')
const similarNames = fc.nat(30).map((index) => `similar file ${index}.text`)

/** A name that FAT can store. */
export const names: fc.Arbitrary<string> = fc
  .oneof(shortNames, longNames, similarNames, { weight: 1, arbitrary: endlessNames })
  .filter((name) => whyInvalid(name, { allowDeviceNames: false }) === undefined)
  .filter((name) => Buffer.byteLength(name) <= 255 && name !== '.' && name !== '..')

const contents: fc.Arbitrary<Contents> = fc.record({
  size: fc.oneof(
    { weight: 6, arbitrary: fc.nat(3000) },
    { weight: 4, arbitrary: fc.constantFrom(0, 1, 511, 512, 513, 1024, 4095, 4096, 4097, 32_768, 65_537) },
    { weight: 1, arbitrary: fc.constantFrom(2 ** 17, 2 ** 17 + 1, 2 ** 20 - 1, 2 ** 20 + 4096, 2_500_000) },
  ),
  seed: fc.nat(255),
})

interface Node {
  readonly [name: string]: Node | Contents
}

const { tree } = fc.letrec<{ tree: Node; node: Node | Contents }>((tie) => ({
  tree: fc
    .array(fc.tuple(names, tie('node')), { maxLength: 12, depthIdentifier: 'tree' })
    .map((entries) => Object.fromEntries(new Map(entries.map((entry) => [foldCase(entry[0]), entry])).values())),
  node: fc.oneof({ depthSize: 'small', depthIdentifier: 'tree' }, contents, contents, contents, tie('tree')),
}))

/** A directory with subdirectories. */
export const trees: fc.Arbitrary<Files> = tree.map((root) => Object.fromEntries(flatten(root, '')))

function flatten(node: Node, prefix: string): [string, string | Uint8Array][] {
  return Object.entries(node).flatMap(([name, value]): [string, string | Uint8Array][] => {
    const path = prefix + name
    if (isContents(value)) return [[path, bytesOf(value)]]
    return [[`${path}/`, ''], ...flatten(value, `${path}/`)]
  })
}

function isContents(node: Node | Contents): node is Contents {
  return typeof node['size'] === 'number'
}

/** Generates the bytes. Small seeds generate zeros, which become holes. */
function bytesOf({ size, seed }: Contents): Uint8Array {
  const bytes = Buffer.alloc(size)
  if (seed > 20)
    for (let index = 0; index < size; index++) bytes[index] = (index * 31 + (index >> 8) * seed + seed) & 255
  return bytes
}
