import { readFatImage } from 'mkfatfs-wasm'

await using image = await readFatImage('esp.img')
for (const { path, kind, size } of await image.list()) {
  if (kind === 'file') console.log(path, size)
}
const config = await image.readFile('loader/loader.conf')
console.log(config.toString())
await image.extract('./out')
