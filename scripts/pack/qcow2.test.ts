import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findOnPath } from '../../packages/core/src/host/find-on-path.ts'
import { toQcow2 } from './qcow2.mjs'

const hasQemuImg = findOnPath('qemu-img') !== undefined

test.skipIf(!hasQemuImg).each([
  ['a firmware of mostly zeros', 64 * 2 ** 20, 5],
  ['an image that ends within a cluster', 540_672, 5],
  ['an image of zeros', 2 ** 20, 0],
])('writes %s so that qemu-img finds no fault and reads the same bytes', (_, bytes, filled) => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const raw = Buffer.alloc(bytes)
  for (let index = 0; index < filled; index++) raw.fill(index + 1, index * 100_000, index * 100_000 + 70_000)
  if (filled > 0) raw.writeUInt32BE(42, bytes - 4)
  const [image, back] = [join(folder, 'image.qcow2'), join(folder, 'back')]
  writeFileSync(image, toQcow2(raw))
  execFileSync('qemu-img', ['check', image], { stdio: 'ignore' })
  execFileSync('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', image, back])
  expect(readFileSync(back).equals(raw)).toBe(true)
})

test('writes an image as large as its content', () => {
  expect(toQcow2(Buffer.alloc(64 * 2 ** 20)).length).toBeLessThan(400_000)
})
