/** Tests that run the examples with the built package, and check that README snippets are examples. */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { test } from '../test/scratch.ts'

const folder = fileURLToPath(new URL('../examples', import.meta.url))
const files = { 'EFI/BOOT/BOOTX64.EFI': 'not really', 'loader/loader.conf': 'timeout 3' }

/** Runs an example in a directory, and returns its output. */
function run(name: string, cwd: string): string {
  return execFileSync(process.execPath, ['--disable-warning=ExperimentalWarning', `${folder}/${name}.ts`], {
    cwd,
    encoding: 'utf8',
  })
}

test('an EFI system partition is made and read back', ({ scratch }) => {
  scratch.tree('esp', files)
  expect(run('efi-system-partition', scratch.path)).toBe('fat32, 67108864 bytes, 2 files\n')
  expect(run('read-back', scratch.path)).toBe('EFI/BOOT/BOOTX64.EFI 10\nloader/loader.conf 9\ntimeout 3\n')
  expect(readFileSync(scratch.at('out', 'loader', 'loader.conf'), 'utf8')).toBe('timeout 3')
})

test('files in memory become an image in memory', ({ scratch }) => {
  expect(run('memory', scratch.path)).toBe('fat12, 65536 bytes, 2 files\n')
})

test('an image is changed in place', ({ scratch }) => {
  scratch.tree('esp', files)
  run('efi-system-partition', scratch.path)
  expect(run('edit', scratch.path)).toBe('')
  expect(() => run('read-back', scratch.path)).not.toThrow()
  expect(readFileSync(scratch.at('out', 'loader', 'loader.conf'), 'utf8')).toBe('timeout 0')
})

test('a disk with two partitions is made', ({ scratch }) => {
  scratch.tree('esp', files)
  expect(run('partitions', scratch.path)).toMatch(/^EFI 1048576 6\d{7}\nDATA 68157440 2\d{8}\n$/)
})

test('a partition for ESP-IDF is made and read back', ({ scratch }) => {
  scratch.tree('storage', files)
  expect(run('esp-idf', scratch.path)).toBe('true 5\n')
})

test('an error names its offenders', ({ scratch }) => {
  scratch.tree('photos', { 'Beach.jpg': '', 'beach.JPG': '' })
  expect(run('errors', scratch.path)).toBe(`NAME_COLLISION\n[ 'Beach.jpg and beach.JPG' ]\n`)
})

test('the same tree and time give the same image', ({ scratch }) => {
  scratch.tree('esp', files)
  expect(run('reproducible', scratch.path)).toBe('true\n')
})

test('progress is reported', ({ scratch }) => {
  scratch.tree('esp', files)
  expect(run('progress', scratch.path)).toBe('19 of 19 bytes\n')
})

test('every snippet of the README is an example that runs', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
  const snippets = [...readme.matchAll(/^```ts\n([^]*?)^```$/gm)].map(([, code]) => code)
  const examples = readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`${folder}/${name}`, 'utf8'))
  expect(new Set(snippets)).toEqual(new Set(examples))
  const scripts = [...readme.matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code)
  expect(scripts).toEqual([readFileSync(`${folder}/web/page.js`, 'utf8')])
})
