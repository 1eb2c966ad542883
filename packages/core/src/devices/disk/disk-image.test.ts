import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type DiskFormat, inspectDiskImage } from './disk-image.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
let files = 0

function image(content: Uint8Array | string): string {
  const path = join(folder, `image${files++}`)
  writeFileSync(path, content)
  return path
}

/** A header of `length` zero bytes with the given values at their offsets. */
function bytes(length: number, parts: Readonly<Record<number, string | bigint>>, order: 'BE' | 'LE' = 'BE'): Buffer {
  const buffer = Buffer.alloc(length)
  for (const [at, part] of Object.entries(parts)) {
    if (typeof part === 'string') buffer.write(part, Number(at), 'latin1')
    else buffer[`writeBigUInt64${order}`](part, Number(at))
  }
  return buffer
}

const MIB = 1n << 20n
const vmdk = (descriptor: string) => `${bytes(512, { 0: 'KDMV', 12: 1n }, 'LE').toString('latin1')}${descriptor}`
const qcow2 = (more: Readonly<Record<number, string | bigint>> = {}) =>
  bytes(512, { 0: 'QFI\xfb\0\0\0\x03', 24: 3n * MIB, ...more })

describe('detects a format by its header', () => {
  test('raw: any other content, with its size rounded up to sectors', () => {
    expect(inspectDiskImage(image('hello'))).toEqual({ format: 'raw', virtualSize: 512 })
    expect(inspectDiskImage(image(Buffer.alloc(1024)))).toEqual({ format: 'raw', virtualSize: 1024 })
    expect(inspectDiskImage(image(''))).toEqual({ format: 'raw', virtualSize: 0 })
  })

  test('qcow2', () => {
    expect(inspectDiskImage(image(qcow2()))).toEqual({ format: 'qcow2', virtualSize: 3 << 20 })
  })

  test('vmdk', () => {
    const header = bytes(512, { 0: 'KDMV', 12: 6n * 2048n }, 'LE')
    expect(inspectDiskImage(image(header))).toEqual({ format: 'vmdk', virtualSize: 6 << 20 })
  })

  test('vdi', () => {
    const header = bytes(
      512,
      { 0: '<<< Oracle VM VirtualBox Disk Image >>>', 64: '\x7f\x10\xda\xbe', 368: 5n * MIB },
      'LE',
    )
    expect(inspectDiskImage(image(header))).toEqual({ format: 'vdi', virtualSize: 5 << 20 })
  })

  test('prefers the given format to another header', () => {
    expect(inspectDiskImage(image(qcow2()), 'raw')).toEqual({ format: 'raw', virtualSize: 512 })
  })
})

describe('refused', () => {
  const refused: readonly [
    title: string,
    content: Uint8Array | string,
    asked: DiskFormat | undefined,
    message: RegExp,
  ][] = [
    ['a format that it is not of', 'hello', 'qcow2', /is not a qcow2 image: its header is of no known format/],
    ['a format that is another', qcow2(), 'vmdk', /is not a vmdk image: its header is that of qcow2/],
    ['a header that ends early', Buffer.from('QFI\xfb\0\0\0\x03', 'latin1'), undefined, /size cannot be read/],
    ['a disk without a size', qcow2({ 24: 0n }), undefined, /size cannot be read/],
    ['a vmdk that names other files', bytes(512, { 0: 'KDMV' }), undefined, /size cannot be read\n.*qemu-img convert/],
    ['a vmdk with a parent', vmdk('parentFileNameHint="x"'), undefined, /reads a parent/],
    [
      'a vmdk with a parent late in its descriptor',
      vmdk(`${'# '.repeat(5_000)}\nparentFileNameHint="x"`),
      undefined,
      /reads a parent/,
    ],
    ['a vmdk with a parent after a blank', vmdk(' parentFileNameHint = "x"'), undefined, /reads a parent/],
    ['a vhdx without tables', bytes(4096, { 0: 'vhdxfile' }), undefined, /vhdx image whose size cannot be read/],
    ['a VHD', bytes(512, { 0: 'conectix' }), undefined, /is a VHD .*\n.*qemu-img convert/],
    ['a fixed VHD, known by its end', bytes(2048, { 1536: 'conectix' }), undefined, /is a VHD/],
    ['the old qcow', bytes(512, { 0: 'QFI\xfb\0\0\0\x01' }), undefined, /old qcow format/],
    ['a compressed image', gzipSync('disk'), undefined, /compressed with gzip\nUnpack it first/],
  ]
  test.each(refused)('%s', (_title, content, asked, message) => {
    const attempt = () => inspectDiskImage(image(content), asked)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
  })

  // A guest that writes a qcow2 header to its raw disk could otherwise read any file of the host at the next start.
  test('an image that reads another file, unless its format is given', () => {
    const path = image(qcow2({ 8: 256n, 16: 11n << 32n, 256: '/etc/shadow' }))
    expect(() => inspectDiskImage(path)).toThrow(/reads another file, "\/etc\/shadow"\n.*set `format: 'qcow2'`/)
    expect(inspectDiskImage(path, 'qcow2').virtualSize).toBe(3 << 20)
    expect(() => inspectDiskImage(image(qcow2({ 72: 4n })))).toThrow(/keeps its data in another file/)
  })

  test('rejects a path that is not a file', () => {
    expect(() => inspectDiskImage('/dev/null')).toThrow(/not a regular file/)
  })
})
