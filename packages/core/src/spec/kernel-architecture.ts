/**
 * Architecture of a kernel image, from its header. Sources: Documentation/arch/x86/boot.rst, arch/arm64/booting.rst,
 * arch/riscv/boot-image-header.rst; elf(5); the PE format.
 */
import { constants, gunzipSync } from 'node:zlib'
import { OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture, hostArchitecture } from '../options/architecture.ts'
import { fileStart } from './file-start.ts'
import type { MachineSpec } from './machine-spec.ts'

/** Bytes of an image that contain all headers. */
const HEAD_BYTES = 2 ** 17
/** Fields of the setup header of a bzImage. */
const SETUP = { signature: 0x202, loadFlags: 0x236, end: 0x268 }
const KERNEL_64 = 1
/** Magic numbers, little-endian, and their offsets. */
const MAGICS: readonly (readonly [at: number, magic: number, arch: Architecture])[] = [
  [0x38, 0x644d_5241, 'aarch64'],
  [0x38, 0x0543_5352, 'riscv64'],
  [0x24, 0x016f_2818, 'arm'],
]
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
/** Field `Machine` of PE, the format of programs for UEFI, such as a compressed kernel (`vmlinuz.efi`). */
const PE_MACHINES: Readonly<Record<number, Architecture>> = {
  0x014c: 'i386',
  0x01c2: 'arm',
  0x5064: 'riscv64',
  0x8664: 'x86_64',
  0xaa64: 'aarch64',
}
/** Head of a bzImage for s390x, which starts with a program status word, and its mark (arch/s390/boot/head.S). */
const S390 = { at: 0x1_0008, mark: 'S390EP' }
const GZIP = 0x1f8b

/**
 * The architecture of a kernel image, even if the whole image is compressed with gzip, such as `Image.gz`.
 * @param start the first 128 KiB of the image, or all of it
 * @returns undefined if the file is not a kernel of a known architecture
 */
export function kernelArchitecture(start: Uint8Array): Architecture | undefined {
  const image = Buffer.from(start.buffer, start.byteOffset, start.byteLength)
  if (image.length >= 2 && image.readUInt16BE(0) === GZIP) {
    const unpacked = unpackedStart(image)
    return unpacked === undefined ? undefined : kernelArchitecture(unpacked)
  }
  if (image.length < SETUP.end) return undefined
  if (image.toString('latin1', SETUP.signature, SETUP.signature + 4) === 'HdrS') {
    return (image.readUInt16LE(SETUP.loadFlags) & KERNEL_64) === 0 ? 'i386' : 'x86_64'
  }
  const known = MAGICS.find(([at, magic]) => image.readUInt32LE(at) === magic)
  if (known !== undefined) return known[2]
  if (image.readUInt32BE(0) === 0x7f45_4c46) {
    return ELF_MACHINES[image.readUInt8(5) === 1 ? image.readUInt16LE(0x12) : image.readUInt16BE(0x12)]
  }
  if (image.toString('latin1', S390.at, S390.at + S390.mark.length) === S390.mark) return 's390x'
  return image.toString('latin1', 0, 2) === 'MZ' ? peArchitecture(image) : undefined
}

function peArchitecture(image: Buffer): Architecture | undefined {
  const header = image.readUInt32LE(0x3c)
  if (image.toString('latin1', header, header + 4) !== 'PE\0\0' || header + 6 > image.length) return undefined
  return PE_MACHINES[image.readUInt16LE(header + 4)]
}

/** Decompresses the start of gzip data. The end of the data may be missing. */
function unpackedStart(data: Buffer): Buffer | undefined {
  try {
    return gunzipSync(data.subarray(0, HEAD_BYTES), { finishFlush: constants.Z_SYNC_FLUSH })
  } catch {
    return undefined
  }
}

/**
 * Rejects a kernel for another architecture, with which a machine would run forever and print nothing. Accepts files
 * that are not recognised as kernels, because QEMU reports a file that it cannot load.
 *
 * @throws OptionError `KERNEL_MISMATCH`
 */
export function requireKernelOf({ arch, kernel, cpu }: Pick<MachineSpec, 'arch' | 'kernel' | 'cpu'>): void {
  if (kernel === undefined) return
  const actual = kernelArchitecture(fileStart(kernel, HEAD_BYTES))
  if (actual === undefined || actual === arch || actual === alsoStarts(arch, cpu)) return
  const reason = arch === hostArchitecture() ? ', the architecture of this host' : ''
  throw new OptionError(
    'KERNEL_MISMATCH',
    `\`kernel\` is for ${actual}, but the machine is ${arch}${reason}: ${kernel}`,
    { hint: `Set \`arch: '${actual}'\`, or pass a kernel for ${arch}.` },
  )
}

/**
 * The 32-bit architecture whose kernels the machine also starts: a 64-bit PC always, a 64-bit ARM machine with another
 * CPU than the default.
 */
function alsoStarts(arch: Architecture, cpu: string): Architecture | undefined {
  if (arch === 'x86_64') return 'i386'
  return arch === 'aarch64' && cpu !== ARCHITECTURES.aarch64.cpu ? 'arm' : undefined
}
