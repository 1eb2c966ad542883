/** `meta.json`: what a machine was, for whoever finds its files. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ObservedMachine } from '@coldboot/core'
import type { Attempt } from './attempt-directory.ts'

/** The content of `meta.json`. */
export interface MachineMeta {
  readonly name: string
  readonly arch: string
  readonly accelerator: string
  /** With its unit, as `256M`. */
  readonly memory: string
  readonly cpus: number
  readonly qemuVersion: string
  readonly coldbootVersion: string
  /** When the machine started, ISO 8601. */
  readonly started: string
  /** How long it lived. Missing while it does. */
  readonly duration?: number
  /** Whether it booted, or went on from a template. */
  readonly start: 'cold' | 'template'
  /** How it ended, for people. */
  readonly exit?: string
  /** The same for programs: as of `ExitStatus.reason`. */
  readonly exitReason?: string
  /** One line for a POSIX shell that starts the same machine. */
  readonly commandLine: string
  readonly test: Omit<Attempt, 'root' | 'home'>
  /** Names of the files beside this one. Missing while they are written. */
  readonly files?: readonly string[]
  /** What is not there, or not whole: name → why. */
  readonly cut?: Readonly<Record<string, string>>
  /** Messages of the test's errors. */
  readonly errors?: readonly string[]
  /** Pid of the process that writes the files. Missing when they are complete. */
  readonly writer?: number
}

/** The file's name. */
export const META_FILE = 'meta.json'

/** @param startedAt milliseconds since 1970 */
export function describeMachine(machine: ObservedMachine, attempt: Attempt, startedAt: number): MachineMeta {
  const { root: _, home: __, ...test } = attempt
  const { name, arch, accelerator, memoryMib, cpus, qemuVersion, start, commandLineQuoted } = machine
  return {
    name,
    arch,
    accelerator,
    memory: `${memoryMib}M`,
    cpus,
    qemuVersion,
    coldbootVersion: ownVersion(),
    started: new Date(startedAt).toISOString(),
    start,
    commandLine: commandLineQuoted,
    test,
  }
}

/** @param final whether it replaces one that was there: a reader sees the one or the other, whole */
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

/** Undefined when there is none, or it is not whole. */
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
