import { mkfatfs, readFatImage } from 'mkfatfs-wasm'

const image = await mkfatfs({
  directory: './storage',
  profile: 'esp-idf',
  wearLevelling: true, // false for a partition that is mounted read-only without the layer
  size: '1M', // the size of the partition
})
await image.toFile('storage.bin')

// Also of a partition that was read from a device.
await using read = await readFatImage('storage.bin')
console.log(read.isWearLevelled, (await read.list()).length)
