/** Unpacks the memory and the state of a machine file to separate files, as in a template. */
import { join } from 'node:path'
import type { GuestMemory } from '../../qemu/command-line.ts'
import { UnknownStateError } from '../../qemu/state/state-stream.ts'
import type { ArchiveReader } from './archive.ts'
import { STATE, statePiece } from './machine-file.ts'
import type { MachineManifest } from './manifest.ts'
import { MemoryFile } from './state/memory-file.ts'
import { writeState } from './state/state-file.ts'

/** The unpacked state of a machine file. */
export interface UnpackedState {
  readonly memory: GuestMemory | undefined
  /** File with the rest of the state, because QEMU reads a socket several times slower. */
  readonly path: string
}

/**
 * Writes guest memory to a file that QEMU maps, and the rest of the state to another file. If the memory is not a
 * single block of the size in the manifest, it stays in the state.
 *
 * @param directory folder for the files, which must exist as long as the machine
 * @throws OptionError `MACHINE_FILE_INVALID`; the system's error
 */
export async function unpackState(
  archive: ArchiveReader,
  { memoryMib, hasGuestMemory, devices }: MachineManifest,
  directory: string,
): Promise<UnpackedState> {
  const [path, memoryPath] = [join(directory, 'state'), join(directory, 'memory')]
  using file = new MemoryFile(memoryPath, memoryMib * 2 ** 20)
  // `arbitraryArgs` may define other memory.
  const isKnown = hasGuestMemory || !devices.some(({ kind }) => kind === 'arbitraryArgs')
  await writeState(stateOf(archive), path, isKnown ? file : { has: () => false }).catch((error: unknown) => {
    throw error instanceof UnknownStateError ? archive.invalid(error.shortMessage, error) : error
  })
  const { block } = file
  if (hasGuestMemory) return { path, memory: { path: block && memoryPath, shared: false } }
  const isName = block !== undefined && /^[a-z][\w.-]*$/i.test(block)
  return { path, memory: isName ? { path: memoryPath, shared: false, block } : undefined }
}

async function* stateOf(archive: ArchiveReader): AsyncGenerator<Buffer> {
  let pieces = 0
  while ((await archive.peek())?.name.startsWith(STATE) === true) {
    yield* archive.chunks(await archive.require(statePiece(pieces++)))
  }
  if (pieces === 0) throw archive.invalid('its memory is missing')
}
