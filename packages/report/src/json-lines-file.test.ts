import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { JsonLinesFile } from './json-lines-file.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  path = join(directory, 'a.jsonl')
})
afterEach(() => rmSync(directory, { recursive: true }))

const cut = (text: string): unknown => ({ cut: text })

test('writes each value at once, and creates the file with the first one', () => {
  const file = new JsonLinesFile(path, { maxBytes: 4096, cut })
  expect(existsSync(path)).toBe(false)
  file.add({ a: 'one\ntwo' })
  expect(readFileSync(path, 'utf8')).toBe('{"a":"one\\ntwo"}\n')
  expect(statSync(path).mode & 0o777).toBe(0o600)
  file.close()
  // Values after `close` are written too.
  file.add({ b: 1 })
  file.close()
  expect(readFileSync(path, 'utf8')).toBe('{"a":"one\\ntwo"}\n{"b":1}\n')
})

test('ends a full file with a note, and counts the omitted values', () => {
  const file = new JsonLinesFile(path, { maxBytes: 4096, cut })
  for (let line = 0; line < 1000; line++) file.add({ line })
  file.close()
  const lines = readFileSync(path, 'utf8').trim().split('\n')
  expect(lines.at(-1)).toBe('{"cut":"The rest is left out: this file is limited to 4096 bytes."}')
  expect(lines.length - 1 + file.leftOut).toBe(1000)
  expect(statSync(path).size).toBeLessThanOrEqual(4096)
})
