import { mkdtempSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspectDiskImage } from './disk-image.ts'
import { writeQcow2Overlay } from './qcow2-overlay.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const CLUSTER = 65_536

// block-device.vm.test.ts tests such files with QEMU.
test.each([512, 1_000_448, 2 ** 29, 2 ** 29 + 512, 8 * 2 ** 40])('a disk of %d bytes', async (size) => {
  const path = join(folder, `layer-${size}.qcow2`)
  await writeQcow2Overlay(path, size)
  expect(inspectDiskImage(path)).toEqual({ format: 'qcow2', virtualSize: size })
  const bytes = readFileSync(path)
  const l1Entries = Math.ceil(size / 2 ** 29)
  expect(bytes.readUInt32BE(36)).toBe(l1Entries)
  const clusters = 3 + Math.ceil((l1Entries * 8) / CLUSTER)
  expect(bytes.length).toBe(clusters * CLUSTER)
  const refcounts = Array.from({ length: clusters + 1 }, (_, index) => bytes.readUInt16BE(2 * CLUSTER + index * 2))
  expect(refcounts).toEqual([...Array.from({ length: clusters }, () => 1), 0])
})

test('is readable only by its owner, and does not replace a file', async () => {
  const path = join(folder, 'own.qcow2')
  await writeQcow2Overlay(path, 512)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  await expect(writeQcow2Overlay(path, 512)).rejects.toMatchObject({ code: 'EEXIST' })
})
