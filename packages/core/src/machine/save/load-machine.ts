/**
 * Loads a machine file: launches QEMU with the saved memory and devices. The machine stays stopped for the caller.
 */
import { mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Network } from '../../devices/network.ts'
import { OptionError } from '../../errors.ts'
import { readEnvironment } from '../../host/environment.ts'
import { Cache } from '../../host/files/cache.ts'
import { fileDigest } from '../../host/files/file-digest.ts'
import { makePrivateDirectory } from '../../host/files/private-directory.ts'
import { hostCpu } from '../../host/host-cpu.ts'
import { cleanUp } from '../../host/machines/clean-up.ts'
import { type CheckTable, checkTable, isFlag } from '../../options/checked-options.ts'
import { locateQemu } from '../../qemu/locate.ts'
import { isAtLeast } from '../../qemu/version.ts'
import { chooseAccelerator } from '../../spec/accelerator.ts'
import type { MachineOptions } from '../../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../../spec/machine-spec.ts'
import { VM_CHECKS } from '../../spec/option-checks.ts'
import { RESTORE_CHECKS, type RestoreOverrides } from '../../spec/restore-overrides.ts'
import { type Launched, launchRestored, requireNotAborted } from '../launch.ts'
import { withDetachedDevices } from '../restore-attachment.ts'
import { type ArchiveEntry, ArchiveReader } from './archive.ts'
import { decompress, openCompressed } from './compression.ts'
import { requireOwnContent } from './disk-layers.ts'
import { CONSOLE, compressedName, FILES, isMachineFileName, MANIFEST } from './machine-file.ts'
import { type BootFile, type MachineManifest, parseManifest, patternOf, type ReferredFile } from './manifest.ts'
import { type DeviceSurroundings, makeDevice } from './portable-devices.ts'
import { unpackState } from './unpack-state.ts'

/** Options of `VM.resume`. */
export interface ResumeOptions extends RestoreOverrides {
  /** QEMU binary, or a list of the binary and its first arguments. @default see `MachineOptions.qemu` */
  readonly qemu?: MachineOptions['qemu']
  /**
   * Locations of disks and shared directories: path in the machine file → path on this host.
   *
   * @default {}
   */
  readonly files?: Readonly<Record<string, string>> | undefined
  /** Whether a user network that was saved with `restrict: false` has access to the outside. @default false */
  readonly allowNetwork?: boolean | undefined
  /** Whether the `arbitraryArgs` of the saved machine are used. @default false */
  readonly allowArguments?: boolean | undefined
  /** Whether the guest stays stopped until a debugger, connected by `vm.gdb`, resumes it. @default false */
  readonly gdb?: boolean | undefined
}

const RESUME_CHECKS: CheckTable<Required<ResumeOptions>> = {
  ...RESTORE_CHECKS,
  qemu: VM_CHECKS.qemu,
  files: [
    'an object of paths',
    (value) =>
      typeof value === 'object' && value !== null && Object.values(value).every((path) => typeof path === 'string'),
  ],
  allowNetwork: isFlag,
  allowArguments: isFlag,
  gdb: isFlag,
}

/** A machine launched from a save. */
export interface LoadedMachine {
  readonly spec: MachineSpec
  readonly launched: Launched
  /** Console output recorded in the save. */
  readonly console: Uint8Array
}

/**
 * @throws OptionError `FILE_MISSING`, `MACHINE_FILE_INVALID`, `MACHINE_FILE_MISFIT` with the requirements of the file;
 * `UNKNOWN_OPTION`, `INVALID_OPTION`
 * @throws StartError as `VM.boot` does; MachineError `QMP_FAILED` when QEMU cannot load the state; ExpectError
 * `EXPECT_ABORTED`
 */
export async function loadMachine(file: string, options: ResumeOptions): Promise<LoadedMachine> {
  checkTable('resume', options, RESUME_CHECKS)
  const path = resolve(file)
  const { signal } = options
  requireNotAborted({ name: options.name ?? path, signal })
  const source = await openCompressed(path)
  const archive = new ArchiveReader(source, path, isMachineFileName)
  // All steps before the launch read the archive.
  const stop = (): void => void source.destroy(new Error('the start was aborted'))
  signal?.addEventListener('abort', stop, { once: true })
  const scratch = await makePrivateDirectory()
  let network: Network | undefined
  let released: Promise<void> | undefined
  // Called by a machine that ends, and after any error.
  const release = (): Promise<void> => {
    released ??= cleanUp(
      () => archive[Symbol.asyncDispose](),
      () => network?.close(),
      () => scratch.remove(),
    )
    return released
  }
  try {
    const manifest = parseManifest(await archive.bytes(await archive.require(MANIFEST)), path)
    const [boot, files] = await Promise.all([
      bootPaths(manifest.boot, scratch.path),
      localFiles(manifest.files, options.files ?? {}),
      requireFit(manifest, options),
    ])
    const spec = withDetachedDevices(
      specOf(manifest, boot, options, {
        fileAt(asked) {
          const found = files.get(asked)
          if (found !== undefined) return found
          throw archive.invalid(`${asked} is not among its files`)
        },
        directoryAt: (asked) => options.files?.[asked],
        scratch: scratch.path,
        network: () => (network ??= new Network()),
        allowNetwork: options.allowNetwork ?? false,
        allowArguments: options.allowArguments ?? false,
      }),
    )
    const { path: statePath, memory } = await unpackState(archive, manifest, scratch.path)
    const console = await archive.bytes(await archive.require(CONSOLE))
    const deviceFiles = join(scratch.path, 'files')
    await mkdir(deviceFiles, { mode: 0o700 })
    await unpackFiles(archive, deviceFiles)
    await unpackBootFiles(archive, manifest.boot, boot)
    await archive.finish()
    await using state = await open(statePath)
    const launched = await launchRestored(spec, {
      memory,
      restore: {
        state: { memory: 'in-stream', source: state.fd },
        files: (directory) => moveFiles(deviceFiles, directory),
        changed: [],
      },
      release,
    })
    // QEMU has loaded the state. If the file cannot be removed, it is removed with its folder, after the machine.
    await rm(statePath, { force: true }).catch(() => {})
    return { spec, launched, console }
  } catch (error) {
    await release().catch(() => {})
    requireNotAborted({ name: options.name ?? path, signal })
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function specOf(
  manifest: MachineManifest,
  boot: Readonly<Record<string, string>>,
  options: ResumeOptions,
  surroundings: DeviceSurroundings,
): MachineSpec {
  const { name, arch, machine, cpu, cpus, memoryMib, accelerator, kernelArgs, allowReboot, ready, firmware } = manifest
  const { files: _, allowNetwork: __, allowArguments: ___, gdb: ____, ...overrides } = options
  return resolveOptions({
    ...{ name, arch, machine, cpu, cpus, accelerator, allowReboot },
    firmwareOnConsole: manifest.firmwareOnConsole,
    memory: `${BigInt(memoryMib)}M`,
    ...(firmware === '' ? {} : { firmware }),
    ...boot,
    ...(manifest.boot.some(({ name }) => name === 'kernel') ? { kernelArgs } : {}),
    ...(ready === null ? {} : { ready: patternOf(ready) }),
    devices: manifest.devices.map((device, position) => makeDevice(device, surroundings, position)),
    ...overrides,
  })
}

/** @throws OptionError `MACHINE_FILE_MISFIT` */
async function requireFit(
  { arch, qemuVersion, accelerator, hostCpu: cpu }: MachineManifest,
  { qemu }: ResumeOptions,
): Promise<void> {
  const asked = typeof qemu === 'string' ? [qemu] : (qemu ?? readEnvironment().qemu)
  const { version, command } = await locateQemu(arch, asked)
  const [major = 0, minor = 0] = qemuVersion.split('.').map(Number)
  if (!isAtLeast(version, [major, minor])) {
    throw misfit(`it was saved by QEMU ${qemuVersion}, and needs that or a later one; ${command[0]} is ${version}`)
  }
  if (accelerator === 'tcg') return
  const { accelerator: present, reason } = chooseAccelerator(arch, undefined)
  if (present !== accelerator) throw misfit(`it needs hardware acceleration (${accelerator}): ${reason}`)
  if (hostCpu() !== cpu) throw misfit(`it needs the CPU that it was saved on, "${cpu}"; this host has "${hostCpu()}"`)
}

function misfit(why: string): OptionError {
  return new OptionError('MACHINE_FILE_MISFIT', `The machine cannot be resumed here: ${why}`)
}

/** Paths on this host of the files to which the machine file refers. */
async function localFiles(
  files: readonly ReferredFile[],
  places: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, string>> {
  const found = await Promise.all(
    files.map(async (file): Promise<readonly [string, string]> => {
      const { path, sha256 } = file
      const local = resolve(places[path] ?? path)
      const content = await comparedWith(file, local)
      if (content === 'same') return [path, local]
      throw new OptionError(
        'MACHINE_FILE_MISFIT',
        content === 'missing'
          ? `The machine needs its disk ${path}, which does not exist on this host`
          : `${local} is not the disk of the machine: its SHA-256 must be ${sha256}`,
        { hint: `Set its path with \`files: { '${path}': … }\` (\`--file ${path}=PATH\`).` },
      )
    }),
  )
  return new Map(found)
}

async function comparedWith(
  { sizeBytes, sha256 }: ReferredFile,
  path: string,
): Promise<'same' | 'different' | 'missing'> {
  const stats = await stat(path).catch(() => undefined)
  if (!stats?.isFile()) return 'missing'
  const digests = new Cache(readEnvironment().cacheDirectory).path('digests')
  return stats.size === sizeBytes && (await fileDigest(path, digests)) === sha256 ? 'same' : 'different'
}

/** Paths of the boot files: the original paths if this host has the same files there, otherwise paths in a folder. */
async function bootPaths(files: readonly BootFile[], directory: string): Promise<Readonly<Record<string, string>>> {
  const paths = files.map(async (file): Promise<[string, string]> => {
    const content = await comparedWith(file, file.path).catch(() => 'missing')
    return [file.name, content === 'same' ? file.path : join(directory, file.name)]
  })
  return Object.fromEntries(await Promise.all(paths))
}

/** Unpacks the boot files that this host lacks. They are the last files of the archive. */
async function unpackBootFiles(
  archive: ArchiveReader,
  files: readonly BootFile[],
  paths: Readonly<Record<string, string>>,
): Promise<void> {
  let missing = files.filter(({ name, path }) => paths[name] !== path)
  while (missing.length > 0) {
    const entry = await archive.next()
    const file = files.find(({ name }) => entry?.name === name || entry?.name === compressedName(name))
    if (entry === undefined || file === undefined) throw archive.invalid(`it has no ${missing[0]?.name}`)
    const path = paths[file.name]
    if (path === undefined || !missing.includes(file)) continue
    missing = missing.filter((other) => other !== file)
    if (entry.name === file.name) await archive.save(entry, path)
    else await writeFile(path, await decompressed(archive, entry, file.name), { mode: 0o600 })
  }
}

async function decompressed(archive: ArchiveReader, entry: ArchiveEntry, name: string): Promise<Buffer> {
  const bytes = await archive.bytes(entry)
  return decompress(bytes, name).catch((cause: unknown) => {
    throw archive.invalid(`its ${name} is damaged`, cause)
  })
}

async function unpackFiles(archive: ArchiveReader, directory: string): Promise<void> {
  for (;;) {
    const entry = await archive.peek()
    if (entry?.name.startsWith(FILES) !== true) return
    const path = join(directory, entry.name.slice(FILES.length))
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await archive.save((await archive.next()) ?? entry, path)
    requireOwnContent(archive, entry.name, path)
  }
}

async function moveFiles(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) await rename(join(from, name), join(to, name))
}
