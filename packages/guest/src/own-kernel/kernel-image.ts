/**
 * Architecture and version of a kernel image, from its header or from the banner "Linux version …" in it. Sources:
 * Documentation/arch/x86/boot.rst, arch/arm64/booting.rst, arch/riscv/boot-image-header.rst; elf(5).
 */
import { gunzipSync } from 'node:zlib'
import type { Architecture } from '@coldboot/core'

/** Facts about an image. */
export interface KernelImage {
  /** Undefined if the file is no kernel of a known architecture. */
  readonly arch: Architecture | undefined
  /** As `uname -r`; undefined if the image does not show it. */
  readonly release: string | undefined
}

const UNKNOWN: KernelImage = { arch: undefined, release: undefined }

/** Field of the setup header of a bzImage. */
const SETUP = { signature: 0x202, version: 0x20e, loadFlags: 0x236, end: 0x268 }
/** The pointer to the version is relative to the second sector. */
const VERSION_BASE = 0x200
const KERNEL_64 = 1
/** Magic numbers, little-endian, and their offsets. */
const ARM64 = { at: 0x38, magic: 0x644d_5241 }
const RISCV = { at: 0x38, magic: 0x0543_5352 }
const ARM_ZIMAGE = { at: 0x24, magic: 0x016f_2818 }
/** Field `e_machine` of ELF. */
const ELF_MACHINES: Readonly<Record<number, Architecture>> = {
  3: 'i386',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv64',
}
/** Head of a bzImage for s390x, which starts with a program status word, and its mark (arch/s390/boot/head.S). */
const S390 = { at: 0x1_0008, mark: 'S390EP' }
const GZIP = 0x1f8b
const LONGEST_VERSION = 256

/** Reads the facts of an image, also of one that is packed with gzip as a whole, such as `Image.gz`. */
export function identifyKernel(data: Uint8Array): KernelImage {
  const image = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
  if (image.length >= 2 && image.readUInt16BE(0) === GZIP) {
    const unpacked = gunzipped(image)
    return unpacked === undefined ? UNKNOWN : identifyKernel(unpacked)
  }
  if (image.length < SETUP.end) return UNKNOWN
  const has = ({ at, magic }: { readonly at: number; readonly magic: number }): boolean =>
    image.readUInt32LE(at) === magic
  if (image.toString('latin1', SETUP.signature, SETUP.signature + 4) === 'HdrS') return bzImage(image)
  if (has(ARM64)) return { arch: 'aarch64', release: bannerRelease(image) }
  if (has(RISCV)) return { arch: 'riscv64', release: bannerRelease(image) }
  if (has(ARM_ZIMAGE)) return { arch: 'arm', release: bannerRelease(packedPart(image)) }
  if (image.readUInt32BE(0) === 0x7f45_4c46) {
    const machine = image.readUInt8(5) === 1 ? image.readUInt16LE(0x12) : image.readUInt16BE(0x12)
    return { arch: ELF_MACHINES[machine], release: bannerRelease(image) }
  }
  if (image.toString('latin1', S390.at, S390.at + S390.mark.length) === S390.mark) {
    return { arch: 's390x', release: bannerRelease(image) }
  }
  return UNKNOWN
}

function bzImage(image: Buffer): KernelImage {
  const arch = (image.readUInt16LE(SETUP.loadFlags) & KERNEL_64) === 0 ? 'i386' : 'x86_64'
  const pointer = image.readUInt16LE(SETUP.version)
  if (pointer === 0) return { arch, release: undefined }
  const text = image.toString('latin1', VERSION_BASE + pointer, VERSION_BASE + pointer + LONGEST_VERSION)
  return { arch, release: /^[\w.+~:-]+/.exec(text)?.[0] }
}

function bannerRelease(image: Buffer | undefined): string | undefined {
  const start = 'Linux version '
  for (let at = image?.indexOf(start) ?? -1; image !== undefined && at !== -1; at = image.indexOf(start, at + 1)) {
    // Other texts of a kernel have a placeholder there.
    const found = /^Linux version (\d[\w.+~:-]*) \(/.exec(image.toString('latin1', at, at + LONGEST_VERSION))
    if (found) return found[1]
  }
  return undefined
}

/** The kernel in a zImage, if it is packed with gzip. */
function packedPart(image: Buffer): Buffer | undefined {
  const at = image.indexOf(Buffer.from([0x1f, 0x8b, 0x08, 0]))
  return at === -1 ? undefined : gunzipped(image.subarray(at))
}

/** Data after the end of the packed part is ignored. */
function gunzipped(data: Buffer): Buffer | undefined {
  try {
    return gunzipSync(data, { finishFlush: 2 })
  } catch {
    return undefined
  }
}
