/** Reads and writes `meta.json`, which describes a machine. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObservedMachine } from '@coldboot/core'
import type { Attempt } from './attempt-directory.ts'

/** The content of `meta.json`. */
export interface MachineMeta {
  readonly name: string
  readonly arch: string
  readonly accelerator: string
  /** With a unit, for example `256M`. */
  readonly memory: string
  readonly cpus: number
  /** Path of the kernel image. Missing if a boot loader starts the kernel. */
  readonly kernel?: string
  readonly qemuVersion: string
  readonly coldbootVersion: string
  /** When the machine started, ISO 8601. */
  readonly started: string
  /** Lifetime of the machine, milliseconds. Missing while it runs. */
  readonly duration?: number
  /** Whether the machine booted or was restored from a template. */
  readonly start: 'cold' | 'template'
  /** How the machine ended, as text. */
  readonly exit?: string
  /** How the machine ended; see `ExitStatus.reason`. */
  readonly exitReason?: string
  /** Command line for a POSIX shell that starts the same machine. */
  readonly commandLine: string
  readonly test: Omit<Attempt, 'root' | 'home'>
  /** Names of the files in the folder. Missing while they are written. */
  readonly files?: readonly string[]
  /** Missing and incomplete files: name → reason. */
  readonly cut?: Readonly<Record<string, string>>
  /** Error messages of the test. */
  readonly errors?: readonly string[]
  /** Identity of the process that writes the files; see `thisProcess`. Missing when they are complete. */
  readonly writer?: string
}

/** Name of the file. */
export const META_FILE = 'meta.json'

/** @param startedAt milliseconds since 1970 */
export function describeMachine(machine: ObservedMachine, attempt: Attempt, startedAt: number): MachineMeta {
  const { root: _, home: __, ...test } = attempt
  const { name, arch, accelerator, memoryMib, cpus, qemuVersion, start, commandLine, commandLineQuoted } = machine
  const kernel = commandLine[commandLine.indexOf('-kernel') + 1]
  return {
    name,
    arch,
    accelerator,
    memory: `${memoryMib}M`,
    cpus,
    ...(commandLine.includes('-kernel') && kernel !== undefined ? { kernel } : {}),
    qemuVersion,
    coldbootVersion: ownVersion(),
    started: new Date(startedAt).toISOString(),
    start,
    commandLine: commandLineQuoted,
    test,
  }
}

/** @param final whether to replace an existing file, atomically */
export function writeMeta(directory: string, meta: unknown, final = false): void {
  const file = join(directory, META_FILE)
  const text = `${JSON.stringify(meta, undefined, 2)}\n`
  if (!final) {
    writeFileSync(file, text, { mode: 0o600 })
    return
  }
  writeFileSync(`${file}.new`, text, { mode: 0o600 })
  renameSync(`${file}.new`, file)
}

/** Returns undefined if the file is missing or incomplete. */
export function readMeta(directory: string): MachineMeta | undefined {
  try {
    return JSON.parse(readFileSync(join(directory, META_FILE), 'utf8')) as MachineMeta
  } catch {
    return undefined
  }
}

let version: string | undefined

function ownVersion(): string {
  version ??= (JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string })
    .version
  return version
}
