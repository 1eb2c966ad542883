import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { PAGE } from '../../../qemu/state/state-records.ts'
import { MemoryFile } from './memory-file.ts'

const PAGES = 300

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

test('a memory file has the last content of each page, if it is new and if its pages are replaced', () => {
  const page = fc.record({ index: fc.nat(PAGES - 1), byte: fc.nat(3), flush: fc.boolean() })
  let turn = 0
  const property = fc.property(fc.array(fc.array(page), { minLength: 1 }), (rounds) => {
    const path = join(folder, String(turn++))
    const expected = Buffer.alloc(PAGES * PAGE)
    for (const [round, pages] of rounds.entries()) {
      using memory = new MemoryFile(path, PAGES * PAGE, round === 0 ? 0 : PAGES * PAGE)
      memory.begin('pc.ram', PAGES * PAGE)
      for (const { index, byte, flush } of pages) {
        const content = byte === 0 ? undefined : Buffer.alloc(PAGE, byte)
        expect(memory.has({ block: 'pc.ram', offset: index * PAGE, content })).toBe(true)
        expected.fill(byte, index * PAGE, (index + 1) * PAGE)
        if (flush) memory.flush()
      }
    }
    expect(readFileSync(path).equals(expected)).toBe(true)
  })
  fc.assert(property, { numRuns: 15 })
})

test('zero pages take no space in a memory file', () => {
  const path = join(folder, 'memory')
  const size = 64 * 2 ** 20
  using memory = new MemoryFile(path, size)
  memory.begin('pc.ram', size)
  for (let offset = 0; offset < size; offset += PAGE) {
    memory.has({ block: 'pc.ram', offset, content: offset === PAGE ? Buffer.alloc(PAGE, 1) : undefined })
  }
  memory.flush()
  const { size: length, blocks } = statSync(path)
  expect(length).toBe(size)
  expect(blocks * 512).toBeLessThan(1 << 20)
})

test('a memory file does not take memory of another size, and refuses a page outside of it', () => {
  using memory = new MemoryFile(join(folder, 'memory'), PAGE)
  const page = { block: 'pc.ram', offset: PAGE, content: Buffer.alloc(PAGE, 1) }
  memory.begin('pc.ram', 2 * PAGE)
  expect([memory.block, memory.has(page)]).toEqual([undefined, false])
  memory.begin('pc.ram', PAGE)
  expect(memory.block).toBe('pc.ram')
  expect(() => memory.has(page)).toThrow(/outside/)
})
