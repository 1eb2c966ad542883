/**
 * Architecture and version of a kernel image, from its header or from the banner "Linux version …" in it. Source:
 * Documentation/arch/x86/boot.rst.
 */
import { gunzipSync } from 'node:zlib'
import type { Architecture } from '@coldboot/core'
import { architectureOfKernel } from '@coldboot/core/internal'

/** Architecture and version of an image. */
export interface KernelImage {
  /** Undefined if the file is not a kernel of a supported architecture. */
  readonly arch: Architecture | undefined
  /** As in `uname -r`; undefined if the image does not contain it in readable form. */
  readonly release: string | undefined
}

/** Offsets in the setup header of a bzImage. The pointer to the version is relative to the second sector. */
const SETUP = { signature: 0x202, version: 0x20e, versionBase: 0x200 }
const GZIP = 0x1f8b
const LONGEST_VERSION = 256

/** Identifies an image, which can also be a gzip file such as `Image.gz`. */
export async function identifyKernel(data: Uint8Array): Promise<KernelImage> {
  const file = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  const arch = await architectureOfKernel(file)
  if (arch === undefined) return { arch, release: undefined }
  const image = file.readUInt16BE(0) === GZIP ? gunzipped(file) : file
  return { arch, release: image && releaseOf(image) }
}

function releaseOf(image: Buffer): string | undefined {
  const isBzImage = image.toString('latin1', SETUP.signature, SETUP.signature + 4) === 'HdrS'
  return isBzImage ? headerRelease(image) : (bannerRelease(image) ?? bannerRelease(packedPart(image)))
}

function headerRelease(image: Buffer): string | undefined {
  const pointer = image.readUInt16LE(SETUP.version)
  if (pointer === 0) return undefined
  const at = SETUP.versionBase + pointer
  return /^[\w.+~:-]+/.exec(image.toString('latin1', at, at + LONGEST_VERSION))?.[0]
}

function bannerRelease(image: Buffer | undefined): string | undefined {
  const start = 'Linux version '
  for (let at = image?.indexOf(start) ?? -1; image !== undefined && at !== -1; at = image.indexOf(start, at + 1)) {
    // Format strings in the kernel contain "Linux version %s".
    const found = /^Linux version (\d[\w.+~:-]*) \(/.exec(image.toString('latin1', at, at + LONGEST_VERSION))
    if (found) return found[1]
  }
  return undefined
}

/** The compressed kernel in a zImage or in a UEFI program, if the compression is gzip. */
function packedPart(image: Buffer): Buffer | undefined {
  const at = image.indexOf(Buffer.from([0x1f, 0x8b, 0x08, 0]))
  return at === -1 ? undefined : gunzipped(image.subarray(at))
}

/** Decompresses gzip data, and ignores bytes after its end. */
function gunzipped(data: Buffer): Buffer | undefined {
  try {
    return gunzipSync(data, { finishFlush: 2 })
  } catch {
    return undefined
  }
}
