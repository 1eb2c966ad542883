/** Executes each command, and formats its report as text or JSON. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, dirname, resolve } from 'node:path'
import { formatByteSize } from '../byte-size.ts'
import type { FatImageEditor } from '../edit/fat-image-editor.ts'
import { MkfatfsError, reasonOf } from '../errors.ts'
import { editFatImage } from '../host/edit-fat-image.ts'
import { type HostMkfatfsOptions, type HostVolumeOptions, type MkfatfsResult, mkfatfs } from '../host/mkfatfs.ts'
import { readFatImage } from '../host/read-fat-image.ts'
import type { MkfatfsProgress } from '../options.ts'
import { type Command, helpText } from './arguments.ts'
import { printable } from './printable.ts'

/** Observers of a run. */
export interface Watch {
  readonly signal: AbortSignal
  readonly onProgress: (progress: MkfatfsProgress) => void
}

/** Runs a command. Returns its report. */
export async function runCommand(command: Command, watch: Watch): Promise<string> {
  switch (command.kind) {
    case 'help':
      return helpText()
    case 'version':
      return `${version()}\n`
    case 'make': {
      const { directory, image, options, isJson } = command
      return reportMade(await mkfatfs(directory, image, { ...options, ...watch }), image, isJson)
    }
    case 'layout': {
      const made = await mkfatfs({ ...(await readLayout(command.layout)), ...watch })
      return reportMade(await made.toFile(command.image), command.image, command.isJson)
    }
    case 'list':
      return list(command.image, command.isJson)
    case 'extract': {
      await using image = await readFatImage(command.image)
      await image.extract(command.directory, watch)
      return command.isJson ? toJson({ image: resolve(command.image), directory: resolve(command.directory) }) : ''
    }
    case 'add':
    case 'remove':
    case 'rename': {
      const { signal } = watch
      await editFatImage(command.image, (image) => edit(image, command, signal), { signal })
      return command.isJson ? toJson({ image: resolve(command.image) }) : ''
    }
  }
}

type EditCommand = Extract<Command, { readonly kind: 'add' | 'remove' | 'rename' }>

async function edit(image: FatImageEditor, command: EditCommand, signal: AbortSignal): Promise<void> {
  if (command.kind === 'rename') await image.rename(command.from, command.to)
  else if (command.kind === 'remove') for (const path of command.paths) await image.remove(path)
  else {
    const { file, path = basename(file) } = command
    const contents = await readFile(file, { signal }).catch((cause: unknown) => {
      throw new MkfatfsError('READ_FAILED', `Could not read "${file}": ${reasonOf(cause)}.`, { cause })
    })
    await image.writeFile(path, contents)
  }
}

function reportMade(made: MkfatfsResult, image: string, isJson: boolean): string {
  if (isJson) return toJson(made)
  const { type, size, files, directories, volumes } = made
  const kind = volumes.length === 1 ? type.toUpperCase() : `${volumes.length} volumes`
  const counts = `${count(files, 'file', 'files')}, ${count(directories, 'directory', 'directories')}`
  return `${printable(image)}: ${kind}, ${formatByteSize(size)}, ${counts}\n`
}

function count(number: number, one: string, many: string): string {
  return `${number} ${number === 1 ? one : many}`
}

async function list(path: string, isJson: boolean): Promise<string> {
  await using image = await readFatImage(path)
  const entries = await image.list()
  if (isJson) {
    const { type, label, volumeId, partitionTable, isWearLevelled, volumeOffset, volumeSize, clusterSize, sectorSize } =
      image
    const facts = {
      type,
      label,
      volumeId,
      partitionTable,
      isWearLevelled,
      volumeOffset,
      volumeSize,
      clusterSize,
      sectorSize,
    }
    return toJson({ ...facts, entries })
  }
  const lines = entries.map(({ path, kind, size, modified }) => {
    const time = modified?.toISOString().slice(0, 19).replace('T', ' ') ?? '-'
    return `${String(size).padStart(10)}  ${time.padEnd(19)}  ${printable(path)}${kind === 'directory' ? '/' : ''}\n`
  })
  return lines.join('')
}

/** Reads options from a JSON file. Its paths are relative to the file's directory. */
async function readLayout(path: string): Promise<HostMkfatfsOptions> {
  let layout: unknown
  try {
    layout = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MkfatfsError('READ_FAILED', `Could not read the layout "${path}": ${reasonOf(cause)}.`, { cause })
  }
  if (typeof layout !== 'object' || layout === null || Array.isArray(layout)) {
    throw new MkfatfsError('INVALID_OPTION', `The layout "${path}" is not an object with options of mkfatfs().`)
  }
  const near = (file: string) => resolve(dirname(path), file)
  const placed = <T extends HostVolumeOptions>(options: T): T => {
    const paths = Object.entries(options).filter(([key]) => ['directory', 'bootCode', 'mbrCode'].includes(key))
    return { ...options, ...Object.fromEntries(paths.map(([key, value]) => [key, near(String(value))])) }
  }
  const options: HostMkfatfsOptions = placed(layout)
  const { partitions } = options
  return Array.isArray(partitions) ? { ...options, partitions: partitions.map(placed) } : options
}

function toJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`
}

function version(): string {
  const own: unknown = createRequire(import.meta.url)('mkfatfs-wasm/package.json')
  return typeof own === 'object' && own !== null && 'version' in own ? String(own.version) : 'unknown'
}
