/**
 * Unpacks the vmlinux of a bzImage, because QEMU can start it directly. Without hardware acceleration, a guest that unpacks
 * its kernel needs 2.7 s for it (xz). Layout: Documentation/arch/x86/boot.rst.
 */
import { StartError } from '@coldboot/core'
import { decompress } from 'lz4-wasm-nodejs'
import { unxzByDpkg } from './dpkg-deb.ts'

const MAGIC_XZ = 0xfd37_7a58
// Little-endian 0x184C2102: the format of `lz4 -l`, which the kernel's build uses.
const MAGIC_LZ4_LEGACY = 0x0221_4c18
const LZ4_LEGACY_BLOCK = 8 << 20
const SECTOR = 512

/** Offsets in the setup header of a bzImage. */
const HEADER = { setupSectors: 0x1f1, signature: 0x202, payloadOffset: 0x248, payloadLength: 0x24c }

/** The compressed kernel of a bzImage. */
export interface KernelPayload {
  /** The setup code with its header: the part before the loaded one. */
  readonly setup: Uint8Array
  readonly bytes: Uint8Array
  /** Bytes of the unpacked kernel. */
  readonly unpackedLength: number
}

/**
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` if the image is not a bzImage, or is too old to have a payload offset
 */
export function findPayload(bzImage: Uint8Array): KernelPayload {
  const image = Buffer.from(bzImage.buffer, bzImage.byteOffset, bzImage.byteLength)
  if (
    image.length < HEADER.payloadLength + 4 ||
    image.toString('latin1', HEADER.signature, HEADER.signature + 4) !== 'HdrS'
  ) {
    throw unusable('The kernel is not a bzImage: its setup header is missing')
  }
  // In the boot protocol, 0 means 4.
  const setupSectors = image.readUInt8(HEADER.setupSectors) || 4
  const setupLength = (setupSectors + 1) * SECTOR
  const start = setupLength + image.readUInt32LE(HEADER.payloadOffset)
  const end = start + image.readUInt32LE(HEADER.payloadLength)
  if (end - start < 8 || end > image.length) throw unusable('The kernel says that its payload lies outside of its file')
  // The build of the kernel appends the unpacked length to the compressed data.
  return {
    setup: image.subarray(0, setupLength),
    bytes: image.subarray(start, end - 4),
    unpackedLength: image.readUInt32LE(end - 4),
  }
}

/**
 * Unpacks the kernel, an ELF file that is packed with lz4 or xz.
 * @throws StartError `GUEST_KERNEL_UNAVAILABLE` for other compressions and damaged images
 */
export async function unpackKernel({ bytes, unpackedLength }: KernelPayload): Promise<Uint8Array> {
  const magic = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE()
  const vmlinux =
    magic === MAGIC_LZ4_LEGACY
      ? unpackLz4Legacy(bytes, unpackedLength)
      : magic === MAGIC_XZ
        ? await unxzByDpkg(bytes)
        : undefined
  if (!vmlinux) throw unusable(`The compression of the kernel is not supported (it begins with ${magic.toString(16)})`)
  if (vmlinux.length !== unpackedLength) {
    throw unusable(`The unpacked kernel has ${vmlinux.length} bytes, but its image states ${unpackedLength}`)
  }
  return vmlinux
}

/** Unpacks the legacy lz4 frame: blocks of 8 MiB, the last one shorter, each after its packed length. */
export function unpackLz4Legacy(frame: Uint8Array, unpackedLength: number): Uint8Array {
  const input = Buffer.from(frame.buffer, frame.byteOffset, frame.byteLength)
  const blocks: Uint8Array[] = []
  let position = 4
  for (let done = 0; done < unpackedLength; done += LZ4_LEGACY_BLOCK) {
    if (position + 4 > input.length) throw unusable('The packed kernel ends early')
    const packed = input.subarray(position + 4, position + 4 + input.readUInt32LE(position))
    position += 4 + packed.length
    // The library expects the unpacked length before the block.
    const length = Buffer.alloc(4)
    length.writeUInt32LE(Math.min(LZ4_LEGACY_BLOCK, unpackedLength - done))
    blocks.push(decompressBlock(Buffer.concat([length, packed])))
  }
  return Buffer.concat(blocks)
}

// The library throws strings.
function decompressBlock(block: Uint8Array): Uint8Array {
  try {
    return decompress(block)
  } catch (cause) {
    throw unusable(`The packed kernel is damaged: ${String(cause)}`)
  }
}

function unusable(message: string): StartError {
  return new StartError('GUEST_KERNEL_UNAVAILABLE', message, {
    hint: 'Download the kernel again (prepareLinuxGuest with `refresh`), or set COLDBOOT_KERNEL to your own kernel.',
  })
}
