import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { mkfatfs } from 'mkfatfs-wasm'

const digest = async (image: string) =>
  createHash('sha256')
    .update(await readFile(image))
    .digest('hex')

await mkfatfs('./esp', 'one.img', { timestamps: new Date('2024-01-01') })
await mkfatfs('./esp', 'two.img', { timestamps: new Date('2024-01-01') })
console.log((await digest('one.img')) === (await digest('two.img')))
