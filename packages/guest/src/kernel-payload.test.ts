import { compress } from 'lz4-wasm-nodejs'
import { describe, expect, test } from 'vitest'
import { findPayload, unpackKernel } from './kernel-payload.ts'

const BLOCK = 8 << 20
const unusable = (message: RegExp) =>
  expect.objectContaining({ code: 'GUEST_KERNEL_UNAVAILABLE', shortMessage: expect.stringMatching(message) })

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

// Omits the length field that the library adds before the block.
function lz4Legacy(data: Uint8Array): Buffer {
  const blocks: Buffer[] = [Buffer.from([0x02, 0x21, 0x4c, 0x18])]
  for (let at = 0; at < data.length; at += BLOCK) {
    const packed = compress(data.subarray(at, at + BLOCK)).subarray(4)
    blocks.push(uint32(packed.length), Buffer.from(packed))
  }
  return Buffer.concat(blocks)
}

function bzImage(payload: Uint8Array, unpackedLength: number): Buffer {
  const setup = Buffer.alloc(3 * 512, 0xee)
  setup.writeUInt8(2, 0x1f1)
  setup.write('HdrS', 0x202, 'latin1')
  setup.writeUInt32LE(16, 0x248)
  setup.writeUInt32LE(payload.length + 4, 0x24c)
  return Buffer.concat([setup, Buffer.alloc(16), payload, uint32(unpackedLength), Buffer.from('what follows')])
}

describe('findPayload', () => {
  test('finds the packed kernel by the setup header', () => {
    const { setup, bytes, unpackedLength } = findPayload(bzImage(Buffer.from('packed'), 77))
    expect(setup.length).toBe(3 * 512)
    expect(Buffer.from(bytes).toString()).toBe('packed')
    expect(unpackedLength).toBe(77)
  })

  test('interprets 0 setup sectors as 4, as in the oldest boot protocol', () => {
    const image = Buffer.concat([bzImage(Buffer.alloc(8), 0), Buffer.alloc(2048)])
    image.writeUInt8(0, 0x1f1)
    expect(findPayload(image).setup.length).toBe(5 * 512)
  })

  test.each([
    ['a file that is not a bzImage', Buffer.alloc(4096), /no(t a)? bzImage/],
    ['an empty file', Buffer.alloc(0), /not a bzImage/],
    ['a truncated image', bzImage(Buffer.alloc(5000), 1).subarray(0, 4096), /outside of its file/],
  ])('refuses %s', (_, image, message) => {
    expect(() => findPayload(image)).toThrow(unusable(message))
  })
})

describe('unpackKernel', () => {
  test.each([1000, BLOCK, BLOCK + 1000])('unpacks an lz4 kernel of %i bytes, block by block', async (length) => {
    const kernel = Buffer.alloc(length, 'vmlinux ')
    const unpacked = await unpackKernel(findPayload(bzImage(lz4Legacy(kernel), length)))
    expect(Buffer.compare(unpacked, kernel)).toBe(0)
  })

  test('refuses a damaged lz4 kernel', async () => {
    const packed = lz4Legacy(Buffer.alloc(100_000, 'vmlinux '))
    const image = findPayload(bzImage(packed.subarray(0, packed.length - 20), 100_000))
    await expect(unpackKernel(image)).rejects.toThrow(unusable(/damaged|ends early/))
  })

  test('refuses an unknown compression', async () => {
    await expect(unpackKernel(findPayload(bzImage(Buffer.from('BZh91AY...'), 10)))).rejects.toThrow(
      unusable(/425a6839/),
    )
  })
})
