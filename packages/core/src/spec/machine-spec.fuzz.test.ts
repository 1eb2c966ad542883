import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { fuzz } from '../../test/fuzz.ts'
import { virtioRandom } from '../devices/virtio-random.ts'
import { ColdbootError } from '../errors.ts'
import { buildCommandLine } from '../qemu/command-line.ts'
import type { MachineOptions } from './machine-options.ts'
import { resolveOptions } from './machine-spec.ts'
import { VM_CHECKS } from './option-checks.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const kernel = join(folder, 'vmlinuz')
writeFileSync(kernel, 'kernel')

/** Values that are valid for some option, and invalid values. */
const value = fc.oneof(
  fc.constantFrom<unknown[]>(
    '256M',
    'x86_64',
    's390x',
    'tcg',
    'kvm',
    'pc',
    'max',
    kernel,
    folder,
    '',
    '-x',
    'a,b',
    'a b',
  ),
  fc.constantFrom<unknown[]>(0, 1, -1, 256, 1e9, Number.NaN, Infinity, null, undefined, true, false, [], {}, [[]]),
  fc.constantFrom<unknown[]>(
    /x/,
    () => {},
    new AbortController().signal,
    Symbol('s'),
    5n,
    new Map(),
    Object.create(null),
  ),
  fc.constantFrom<unknown[]>(
    [virtioRandom()],
    [virtioRandom(), null],
    { columns: 1 },
    { path: folder },
    new Proxy({}, {}),
  ),
  fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withTypedArray: true, maxDepth: 2 }),
)
const keys = fc.oneof(
  fc.constantFrom(...Object.keys(VM_CHECKS)),
  fc.constantFrom('kernal', '__proto__', 'toString', ''),
)
const options = fc
  .array(fc.tuple(keys, value), { maxLength: 4 })
  .map((entries) => Object.fromEntries(entries.filter(([key]) => key !== '__proto__')))

/** The command line, or the code and the message of the error. */
function wordsOrRefusal(options: MachineOptions): readonly string[] {
  try {
    const spec = resolveOptions(options)
    return buildCommandLine({ spec, qemu: ['qemu'], directory: '/private', wiring: 'inherited', sandbox: true }).argv
  } catch (error) {
    if (ColdbootError.is(error)) return [error.code, error.shortMessage]
    throw error
  }
}

test('any options become a command line of one-line arguments, or are refused with a code', () => {
  fc.assert(
    fc.property(
      fc.oneof({ weight: 20, arbitrary: options }, { weight: 1, arbitrary: value }),
      fc.boolean(),
      (given, boots) => {
        const isPlain = typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype
        const asked = (isPlain && boots ? { kernel, ...given } : given) as MachineOptions
        for (const word of wordsOrRefusal(asked)) expect(word).toMatch(/^[^\0\n]+$/)
      },
    ),
    fuzz(1500),
  )
})
