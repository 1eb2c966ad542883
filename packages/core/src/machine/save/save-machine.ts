/** Saves a running machine to one file: memory, devices, disk overlays, console, manifest and boot files. */
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { PassThrough, type Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PortableDevice } from '../../devices/device.ts'
import { ColdbootError, MachineError } from '../../errors.ts'
import { LONGEST_TIMER } from '../../host/clock.ts'
import { readEnvironment } from '../../host/environment.ts'
import { Cache } from '../../host/files/cache.ts'
import { fileDigest } from '../../host/files/file-digest.ts'
import { makePrivateDirectory } from '../../host/files/private-directory.ts'
import { hostCpu } from '../../host/host-cpu.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { type CheckTable, checkTable, isDuration, isFlag, wholeNumber } from '../../options/checked-options.ts'
import { checkPath, requireDirectory } from '../../options/required-path.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import type { RunningMachine } from '../running-machine.ts'
import { ArchiveWriter, LONGEST_BYTES } from './archive.ts'
import { compressedFile, MOST_BYTES } from './compressed-file.ts'
import { BOOT_FILES, CONSOLE, compressedName, FILES, MANIFEST, statePiece } from './machine-file.ts'
import { type BootFile, FORMAT, type MachineManifest, plainPattern, type ReferredFile } from './manifest.ts'
import { referredFiles } from './portable-devices.ts'
import { copyInto } from './snapshot.ts'
import { type StoppedGuest, unsavable, whileStopped } from './stopped-machine.ts'

/** Options of `VM.save`. */
export interface SaveOptions {
  /** Largest size of the file, bytes. @default no limit */
  readonly maxBytes?: number | undefined
  /** Timeout of the save, milliseconds, before the multiplier. @default 60000 */
  readonly timeout?: number | undefined
  /** Whether the machine continues after the save. If false, it stays stopped. @default true */
  readonly goOn?: boolean | undefined
}

const SAVE_TIMEOUT = 60_000

const SAVE_CHECKS: CheckTable<Required<SaveOptions>> = {
  maxBytes: wholeNumber(1, Number.MAX_SAFE_INTEGER),
  timeout: isDuration,
  goOn: isFlag,
}

/** Size of the pieces of memory in the archive, bytes. */
const PIECE = 4 << 20
/** Size of the buffer for memory that is not compressed yet, bytes. */
const READ_AHEAD = 64 << 20

/**
 * Saves a machine. The file is created atomically.
 *
 * @throws MachineError `MACHINE_UNSAVABLE` with the reason; `SAVE_ABANDONED` beyond the limits, `MACHINE_EXITED`; the
 * system's error
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`; `FILE_MISSING` when the directory of the file does not exist
 */
export async function saveMachine(
  running: RunningMachine,
  guest: StoppedGuest,
  file: string,
  options: SaveOptions,
): Promise<void> {
  checkTable('save', options, SAVE_CHECKS)
  checkPath('save: file', file)
  requireDirectory('save: directory', dirname(file))
  const { maxBytes, timeout = SAVE_TIMEOUT, goOn = true } = options
  const { name, timeoutMultiplier } = running.spec
  const limit = AbortSignal.timeout(Math.min(Math.ceil(timeout * timeoutMultiplier), LONGEST_TIMER))
  const draft = `${file}.${nodeCrypto().randomUUID().slice(0, 8)}.part`
  const manifest = await manifestOf(running)
  const copies = await makePrivateDirectory()
  const archive = ArchiveWriter.create(draft, { maxBytes, signal: limit })
  try {
    await archive.add(MANIFEST, JSON.stringify(manifest))
    // A large buffer, so that QEMU does not wait for the compression.
    const memory = new PassThrough({ highWaterMark: READ_AHEAD })
    let stored: Promise<void> | undefined
    const { console, files } = await whileStopped(running, guest, { goOn, isLive: goOn }, async ({ send, rest }) => {
      stored = addState(archive, memory)
      stored.catch(() => {})
      await send((stream) => pipeline(stream, memory)).catch(async (error: Error) => {
        memory.destroy(error)
        // If the archive has failed too, its error is the cause.
        await stored
        throw error
      })
      const { console, files } = await rest()
      if (!goOn) return { console, files }
      // Copied now, and compressed after the machine runs again.
      await copyInto(copies.path, files)
      return { console, files: files.map((path) => join(copies.path, basename(path))) }
    })
    await stored
    await archive.add(CONSOLE, console)
    for (const path of files) await addFiles(archive, `${FILES}${basename(path)}`, path)
    await addBootFiles(archive, manifest)
    await archive.finish()
    await rename(draft, file)
  } catch (error) {
    await archive.abandon()
    await rm(draft, { force: true })
    throw abandoned(error, name, limit)
  } finally {
    await copies.remove()
  }
}

/** Adds the boot files: kernel, initramfs, firmware. */
async function addBootFiles(archive: ArchiveWriter, { boot }: MachineManifest): Promise<void> {
  const { cacheDirectory } = readEnvironment()
  for (const { name, path, sizeBytes } of boot) {
    const compressed = sizeBytes > MOST_BYTES ? undefined : await compressedFile(cacheDirectory, path)
    if (compressed && compressed.length <= LONGEST_BYTES) await archive.add(compressedName(name), compressed)
    else await archive.addFile(name, path)
  }
}

function abandoned(error: unknown, name: string, limit: AbortSignal): unknown {
  const why = limit.aborted
    ? 'It took too long'
    : ColdbootError.is(error) && error.code === 'SAVE_ABANDONED'
      ? error.shortMessage
      : undefined
  if (why === undefined) return error
  return new MachineError('SAVE_ABANDONED', `Machine "${name}" was not saved. ${why}`, { cause: error })
}

async function addState(archive: ArchiveWriter, stream: Readable): Promise<void> {
  let pieces = 0
  let chunks: Buffer[] = []
  let length = 0
  const flush = async (): Promise<void> => {
    await archive.add(statePiece(pieces++), Buffer.concat(chunks))
    chunks = []
    length = 0
  }
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    length += (chunk as Buffer).length
    if (length >= PIECE) await flush()
  }
  await flush()
}

/** Adds a file, or all files of a folder. */
async function addFiles(archive: ArchiveWriter, name: string, path: string): Promise<void> {
  const stats = await stat(path)
  if (stats.isFile()) return archive.addFile(name, path)
  if (!stats.isDirectory()) return
  // Hidden files, such as the lock of a TPM, belong to a running process.
  const entries = (await readdir(path)).filter((entry) => !entry.startsWith('.'))
  for (const entry of entries) await addFiles(archive, `${name}/${entry}`, join(path, entry))
}

async function bootFilesOf(spec: MachineSpec): Promise<readonly BootFile[]> {
  const files: BootFile[] = []
  for (const name of BOOT_FILES) {
    const path = spec[name]
    // A firmware name without a slash is a file in the data folder of QEMU.
    if (path === undefined || (name === 'firmware' && !path.includes('/'))) continue
    files.push({ name, ...(await referredFile(resolve(path))) })
  }
  return files
}

async function manifestOf({ spec, machine, plan, qemuVersion }: RunningMachine): Promise<MachineManifest> {
  const { name, arch, cpu, cpus, memoryMib, accelerator, kernelArgs, allowReboot, firmware, ready } = spec
  const { firmwareOnConsole } = spec
  const type = String(await machine.qmp.execute('qom-get', { path: '/machine', property: 'type' }))
  const devices = spec.devices.map((device): PortableDevice => {
    if (device.portable) return device.portable
    throw unsavable(
      name,
      `its device ${device.name} is not described by \`portable\`, so no other process can create it`,
    )
  })
  const isNamed = firmware !== undefined && !firmware.includes('/')
  return {
    format: FORMAT,
    saved: new Date().toISOString(),
    name,
    qemuVersion,
    arch,
    // The versioned machine type, because the short name means another version in another QEMU.
    machine: spec.machine.replace(/^[^,]*/, type.replace(/-machine$/, '')),
    cpu,
    cpus,
    memoryMib,
    accelerator,
    hostCpu: accelerator === 'tcg' ? '' : hostCpu(),
    kernelArgs,
    allowReboot,
    firmwareOnConsole,
    boot: await bootFilesOf(spec),
    firmware: isNamed ? firmware : '',
    ready: ready === undefined ? null : plainPattern(ready),
    hasGuestMemory: plan.memory !== undefined && plan.memory.block === undefined,
    devices,
    files: await Promise.all(devices.flatMap(referredFiles).map(referredFile)),
  }
}

async function referredFile(path: string): Promise<ReferredFile> {
  const digests = new Cache(readEnvironment().cacheDirectory).path('digests')
  return { path, sizeBytes: (await stat(path)).size, sha256: await fileDigest(path, digests) }
}
