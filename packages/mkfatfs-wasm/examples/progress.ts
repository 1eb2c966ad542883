import { mkfatfs } from 'mkfatfs-wasm'

await mkfatfs('./esp', 'esp.img', {
  onProgress: ({ bytes, totalBytes }) => console.log(`${bytes} of ${totalBytes} bytes`),
  signal: AbortSignal.timeout(60_000), // an aborted run leaves no image
})
