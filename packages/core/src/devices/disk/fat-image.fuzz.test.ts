import fc from 'fast-check'
import { MkfatfsError, mkfatfs, readFatImage } from 'mkfatfs-wasm'
import { beforeAll, expect, test } from 'vitest'
import { damaged, fuzz } from '../../../test/fuzz.ts'

/** Boot sector, tables and directories of the image. */
const START_BYTES = 16_384

let image: Buffer
beforeAll(async () => {
  const files = { 'a/b/a long name.txt': 'text', 'a/c': 'x'.repeat(5000), d: new Uint8Array(3000), 'é.txt': '' }
  image = Buffer.from(await (await mkfatfs({ files, type: 'fat12' })).toBytes())
})

async function readAll(bytes: Uint8Array): Promise<string> {
  try {
    await using read = await readFatImage(bytes)
    for (const { kind, path } of await read.list()) {
      const isSame = kind === 'directory' || (await read.readFile(path)).length <= bytes.length
      if (!isSame) return 'longer than the image'
    }
    return 'read'
  } catch (error) {
    if (MkfatfsError.is(error)) return error.code
    throw error
  }
}

test('a damaged FAT image is read, or refused with a code', async () => {
  expect(await readAll(image)).toBe('read')
  const start = image.subarray(0, START_BYTES)
  const rest = image.subarray(START_BYTES)
  const bytes = fc.oneof(
    damaged(start).map((changed) => Buffer.concat([changed, rest])),
    damaged(image),
    fc.uint8Array({ maxLength: 600 }).map((random) => Buffer.concat([random, start.subarray(random.length)])),
  )
  await fc.assert(
    fc.asyncProperty(bytes, async (changed) => {
      expect(await readAll(changed)).toMatch(/^(?:read|NOT_A_FAT_IMAGE|IMAGE_DAMAGED|NOT_IN_IMAGE)$/)
    }),
    fuzz(200),
  )
})
