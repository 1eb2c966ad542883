import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  type Attempt,
  attemptDirectory,
  folderName,
  machineFolder,
  machineFolders,
  makeFile,
  removeDirectory,
  titleFolder,
  titleKey,
} from './attempt-directory.ts'

/** Names that look like paths or are too long. */
const hostile = fc.string({
  unit: fc.constantFrom('/', '.', '..', '\0', '\n', 'a', ' ', '-', '漢', '😀', 'x'.repeat(90)),
})

const attempt: Attempt = {
  root: '/p',
  home: '.vitest',
  file: 'src/boot.test.ts',
  names: ['greets'],
  duplicateIndex: 0,
  repeat: 0,
  retry: 0,
}

describe('attemptDirectory', () => {
  test('is <file>/<test> below .vitest/coldboot of the project', () => {
    expect(attemptDirectory(attempt)).toBe('/p/.vitest/coldboot/src/boot.test.ts/greets')
  })

  test('differs for projects, retries, repeats and tests of the same name', () => {
    const variants: Attempt[] = [
      attempt,
      { ...attempt, project: 'arm' },
      { ...attempt, retry: 1 },
      { ...attempt, repeat: 1 },
      { ...attempt, repeat: 1, retry: 1 },
      { ...attempt, duplicateIndex: 1 },
      { ...attempt, names: ['greets.retry-1'] },
      { ...attempt, names: ['greets', 'twice'] },
      { ...attempt, names: ['greets twice'] },
    ]
    expect(new Set(variants.map(attemptDirectory)).size).toBe(variants.length)
  })

  test('is below the artifacts folder for any names', () => {
    fc.assert(
      fc.property(hostile, fc.array(hostile, { minLength: 1 }), (file, names) => {
        const directory = attemptDirectory({ ...attempt, file, names })
        expect(directory.startsWith('/p/.vitest/coldboot/')).toBe(true)
      }),
    )
  })
})

describe('titleFolder', () => {
  test('keeps readable names', () => {
    expect(titleFolder(['greets on the console'])).toBe('greets-on-the-console')
    expect(titleFolder(['boot', 'greets twice'])).toBe('boot--greets-twice')
    expect(titleFolder(['grüßt'])).toBe('grüßt')
  })

  test('adds a hash to a changed name', () => {
    expect(titleFolder(['re-boots'])).toMatch(/^re-boots-[0-9a-f]{6}$/)
    expect(titleFolder(['a/b: c?'])).toMatch(/^a-b--c-[0-9a-f]{6}$/)
    expect(titleFolder(['…'])).toMatch(/^unnamed-[0-9a-f]{6}$/)
    expect(titleFolder(['x'.repeat(400)])).toMatch(/^x{60}-[0-9a-f]{6}$/)
  })

  test('is one short path segment, unique for each name', () => {
    const name = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '-', '.', '/', 'é', '\u0301'), maxLength: 5 })
    const names = fc.array(name, { minLength: 1, maxLength: 2 })
    fc.assert(
      fc.property(names, names, (one, other) => {
        fc.pre(one.join('\0') !== other.join('\0'))
        expect(titleFolder(one)).not.toBe(titleFolder(other))
      }),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1 }), (any) => {
        expect(titleFolder(any)).toMatch(/^[^/\0]+$/)
        expect(Buffer.byteLength(titleFolder(any))).toBeLessThan(255)
      }),
    )
  })
})

test('folderName keeps ordinary names of machines and files', () => {
  expect(folderName('vm-2')).toBe('vm-2')
  expect(folderName('boot_a.test.ts')).toBe('boot_a.test.ts')
  expect(folderName('..')).toMatch(/^unnamed-/)
})

test('titleKey is the same for tests that could share a folder', () => {
  expect(titleKey(['boot', 'Fails'])).toBe(titleKey(['Boot', 'fails']))
  expect(titleKey(['boot', 'fails'])).not.toBe(titleKey(['boot fails']))
})

test('machineFolder differs for names that differ in case, also if the file system ignores case', () => {
  expect(machineFolder('vm-2')).toBe('vm-2')
  expect(machineFolder('VM')).toMatch(/^VM-[0-9a-f]{6}$/)
  const folders = ['vm', 'VM', 'Vm'].map((name) => machineFolder(name).toLowerCase())
  expect(new Set(folders).size).toBe(3)
})

describe('on disk', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  test('machineFolders lists the folders of an attempt', () => {
    makeFile(join(root, 'vm', 'console.log'))
    makeFile(join(root, 'guest-tests.json'))
    expect(machineFolders(root)).toEqual([join(root, 'vm')])
    expect(machineFolders(join(root, 'missing'))).toEqual([])
  })

  test('removeDirectory removes empty parent folders, including .vitest', () => {
    const artifacts = join(root, '.vitest', 'coldboot')
    makeFile(join(artifacts, 'src', 'a.test.ts', 'one', 'vm', 'console.log'))
    removeDirectory(join(artifacts, 'src', 'a.test.ts', 'one'), artifacts)
    expect(existsSync(join(root, '.vitest'))).toBe(false)
    expect(existsSync(root)).toBe(true)
  })

  test('removeDirectory keeps parent folders with other files', () => {
    const artifacts = join(root, '.vitest', 'coldboot')
    makeFile(join(artifacts, 'a.test.ts', 'one', 'vm', 'console.log'))
    makeFile(join(artifacts, 'a.test.ts', 'two', 'vm', 'console.log'))
    writeFileSync(join(root, '.vitest', 'results.json'), '')
    removeDirectory(join(artifacts, 'a.test.ts', 'one'), artifacts)
    expect(existsSync(join(artifacts, 'a.test.ts', 'two', 'vm', 'console.log'))).toBe(true)
    removeDirectory(join(artifacts, 'a.test.ts', 'two'), artifacts)
    expect(existsSync(artifacts)).toBe(false)
    expect(existsSync(join(root, '.vitest', 'results.json'))).toBe(true)
  })

  test('removeDirectory ignores a missing folder', () => {
    expect(() =>
      removeDirectory(join(root, '.vitest', 'coldboot', 'x'), join(root, '.vitest', 'coldboot')),
    ).not.toThrow()
  })
})
