import { mkfatfs } from 'mkfatfs-wasm'

const image = await mkfatfs({
  files: {
    'config.json': JSON.stringify({ ssid: 'home' }),
    'www/index.html': new Blob(['<p>Hello']),
    'logs/': '', // an empty directory
  },
  label: 'DEVICE',
})
const bytes = await image.toBytes() // or toBlob(), toStream(), toFile('disk.img')
console.log(`${image.type}, ${bytes.length} bytes, ${image.files} files`)
