/** Unpacks module files, which distributions compress: Debian with xz, Ubuntu and Fedora with zstd or xz. */
import zlib from 'node:zlib'
import { StartError } from '@coldboot/core'
import xz from 'xz-decompress'

/** File name suffix of a module, with that of its compression. */
export const MODULE_FILE: RegExp = /\.ko(?:\.(?:xz|gz|zst))?$/

/**
 * Decompresses a module.
 * @param file name that matches {@link MODULE_FILE}
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` for zstd if this Node cannot decompress it; else the error of the decompressor
 */
export async function unpackModule(file: string, data: Uint8Array): Promise<Uint8Array> {
  if (file.endsWith('.gz')) return zlib.gunzipSync(data)
  if (file.endsWith('.xz')) {
    const stream = new xz.XzReadableStream(new Blob([new Uint8Array(data)]).stream())
    return new Uint8Array(await new Response(stream).arrayBuffer())
  }
  if (!file.endsWith('.zst')) return data
  // Since Node 22.15.
  if (typeof zlib.zstdDecompressSync === 'function') return zlib.zstdDecompressSync(data)
  throw new StartError(
    'GUEST_KERNEL_UNAVAILABLE',
    `${file} is packed with zstd, which Node ${process.version} cannot unpack`,
    {
      hint: 'Install Node 22.15 or newer.',
    },
  )
}
