/**
 * Records one machine of a test into a folder while it runs. If the process is killed, the files are complete up to that moment.
 */

import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LogFile, MachineEvent, MachineObserver, MachineOptions, ObservedMachine, VM } from '@coldboot/core'
import { ColdbootError } from '@coldboot/core'
import { messageOf, now, thisProcess, wallClock } from '@coldboot/core/internal'
import type { ResolvedArtifacts } from './artifact-options.ts'
import type { Attempt } from './attempt-directory.ts'
import { commandLineScript } from './command-line-script.ts'
import { LOG_FILE, TIMELINE_FILE, writeDerivedFiles } from './derived-files.ts'
import { FILM_DIRECTORY, Film } from './film.ts'
import { JsonLinesFile } from './json-lines-file.ts'
import { describeMachine, type MachineMeta, META_FILE, writeMeta } from './machine-meta.ts'
import { NetworkCaptures } from './network-captures.ts'
import { filesOf } from './recorded-files.ts'
import type { Redactor } from './redactor.ts'
import { MACHINE_FILE } from './resume-command.ts'
import { displaysOf, takeScreenshots } from './screenshots.ts'
import { type TimelineEntry, timelineEntry } from './timeline.ts'
import { UNSEARCHABLE, withoutKeys } from './unsearchable.ts'

/** Options of {@link MachineRecorder}. */
export interface RecorderOptions {
  /** Folder of the machine, which must exist. */
  readonly directory: string
  readonly attempt: Attempt
  readonly artifacts: ResolvedArtifacts
  readonly redactor: Redactor
}

/** The recorded files of a machine. Texts are redacted. */
export interface MachineRecord {
  readonly name: string
  /** Folder of the files. */
  readonly directory: string
  /** Path of the console log. */
  readonly log: string
  /** Command line for a POSIX shell that starts the same machine. */
  readonly commandLine: string
  /** Names of the files in the folder. */
  readonly files: readonly string[]
}

/** Time limit of saving a machine, milliseconds, before the multiplier. The save blocks other tests. */
const SAVE_MS = 30_000

const VMCORE = 'vmcore'
const QMP_FILE = 'qmp.jsonl'

/** Records one machine. If a template is created, records the template's machine first, then the machine restored from it. */
export class MachineRecorder {
  readonly #logFile: LogFile
  readonly #options: RecorderOptions
  readonly #cut: Record<string, string> = {}
  #timeline: JsonLinesFile | undefined
  #qmp: JsonLinesFile | undefined
  #captures: NetworkCaptures | undefined
  #film: Film | undefined
  /** Resolves when the files of an earlier film are removed. */
  #earlierFilm: Promise<void> | undefined
  #meta: MachineMeta | undefined
  #log = ''
  /** Message of the last failed wait. The test's error has the same message. */
  #lastFailure: string | undefined
  #startedAt = 0
  #ended: { readonly duration: number; readonly exit: string; readonly exitReason: string } | undefined
  #typed: (text: string) => string = (text) => text

  constructor(options: RecorderOptions) {
    const { directory, artifacts, redactor } = options
    this.#options = options
    const filter = redactor.active ? { filter: () => redactor.stream() } : {}
    this.#logFile = { path: join(directory, LOG_FILE), maxBytes: artifacts.maxBytes, ...filter }
  }

  /** Adds the files and the observer of this recorder to the options of a machine. */
  watching<Options extends Pick<MachineOptions, 'logFile' | 'observer' | 'vmcore'>>(options: Options): Options {
    const { logFile: asked, observer } = options
    const { directory, artifacts } = this.#options
    const vmcore = artifacts.vmcore ? { path: join(directory, VMCORE), maxBytes: artifacts.machineMaxBytes } : undefined
    const logFile =
      asked === undefined
        ? this.#logFile
        : { ...this.#logFile, ...(typeof asked === 'string' ? { path: asked } : asked) }
    return {
      ...(vmcore ? { vmcore } : {}),
      ...options,
      logFile,
      observer: observer ? both(this.#observer, observer) : this.#observer,
    }
  }

  readonly #observer: MachineObserver = (machine) => {
    this.#begin(machine)
    const { timeline, qmp } = this.#files()
    return (event, timeMs) => {
      // Ignores the template's machine, which ends after the start of the restored one.
      if (timeline === this.#timeline) this.#write(event, timeMs / 1000, timeline, qmp)
    }
  }

  /** Adds an error of the test to the timeline, unless it is the error of the last wait. */
  noteError(text: string, location?: string): void {
    if (text === this.#lastFailure) return
    this.#onDisk(TIMELINE_FILE, () =>
      this.#timeline?.add(this.#clean({ time: this.#time(), kind: 'error', text, ok: false, location })),
    )
  }

  /** Takes screenshots of the machine's displays if it still runs. Never rejects. */
  async takeScreenshots(vm: VM): Promise<void> {
    const { directory, artifacts, redactor } = this.#options
    if (!redactor.active) Object.assign(this.#cut, await takeScreenshots(vm, directory, artifacts.maxBytes))
    else if (vm.spec.devices.some(({ name }) => name === 'display'))
      this.#cut['screen.png'] = `left out: ${UNSEARCHABLE}`
  }

  /** Keeps the journal of a guest with systemd that still runs. Never rejects. */
  async keepJournal(vm: VM): Promise<void> {
    const { directory, artifacts, redactor } = this.#options
    const { keepJournal } = await import('./journal.ts')
    Object.assign(this.#cut, await keepJournal(vm, directory, { maxBytes: artifacts.maxBytes, redactor }))
  }

  /** Films the displays of the machine, if the options ask for it. */
  film(vm: VM): void {
    const { directory, artifacts, redactor } = this.#options
    if (artifacts.film === 'never' || displaysOf(vm).length === 0) return
    if (redactor.active) {
      this.#cut[FILM_DIRECTORY] = `left out: ${UNSEARCHABLE}`
      return
    }
    const onCut = (why: string): void => void (this.#cut[FILM_DIRECTORY] = why)
    this.#film ??= new Film({ directory, maxBytes: artifacts.maxBytes, time: () => this.#time(), onCut })
    const film = this.#film
    const start = (): void => this.#onDisk(FILM_DIRECTORY, () => film.start(vm))
    if (this.#earlierFilm) void this.#earlierFilm.then(start)
    else start()
  }

  /** Saves the machine if it still runs. @returns the path of the file. Never rejects */
  async saveMachine(vm: VM): Promise<string | undefined> {
    const { directory, artifacts } = this.#options
    const file = join(directory, MACHINE_FILE)
    if (vm.state !== 'running') return undefined
    try {
      await vm.save(file, { maxBytes: artifacts.machineMaxBytes, timeout: SAVE_MS })
      return file
    } catch (error) {
      this.#cut[MACHINE_FILE] = `left out: ${ColdbootError.is(error) ? error.shortMessage : messageOf(error)}`
      return undefined
    }
  }

  /** Closes the files, after the end of the machine. Never rejects. */
  async stop(): Promise<void> {
    // Stops all files before the first `await`, because the files of another machine may begin meanwhile.
    const film = this.#film
    const filmed = film && this.#onDiskLater(FILM_DIRECTORY, () => film.stop())
    const captured = this.#captures?.stop()
    this.#onDisk(TIMELINE_FILE, () => this.#timeline?.close())
    this.#onDisk(QMP_FILE, () => this.#qmp?.close())
    await filmed
    Object.assign(this.#cut, await captured)
  }

  /** Completes the files, after the end of the machine. @param errors error messages of the test */
  async finish(errors: readonly string[]): Promise<MachineRecord | undefined> {
    await this.stop()
    if (this.#meta === undefined) return undefined
    const { directory, artifacts, redactor } = this.#options
    if (errors.length === 0 && artifacts.film !== 'always') await this.#discard(this.#film)
    for (const [file, name] of [
      [this.#timeline, TIMELINE_FILE],
      [this.#qmp, QMP_FILE],
    ] as const) {
      if (file !== undefined && file.leftOut > 0) this.#cut[name] = `${file.leftOut} lines are left out`
    }
    const { writer: _, ...meta } = this.#meta
    this.#onDisk('console.txt', () =>
      writeDerivedFiles(directory, meta, { log: this.#log, maxBytes: artifacts.maxBytes }),
    )
    let files: readonly string[] = []
    this.#onDisk(META_FILE, () => {
      files = filesOf(directory)
    })
    const cut = Object.keys(this.#cut).length === 0 ? {} : { cut: this.#cut }
    const failed = errors.length === 0 ? {} : { errors }
    this.#onDisk(META_FILE, () =>
      writeMeta(directory, redactor.value({ ...meta, ...this.#ended, files, ...cut, ...failed }), true),
    )
    return { name: meta.name, directory, log: this.#log, commandLine: redactor.text(meta.commandLine), files }
  }

  #begin(machine: ObservedMachine): void {
    const { directory, attempt, redactor, artifacts } = this.#options
    // Discards the film of the template's machine.
    this.#earlierFilm = this.#discard(this.#film)
    this.#film = undefined
    void this.stop()
    this.#typed = redactor.typed()
    this.#startedAt = now()
    this.#ended = undefined
    this.#log = machine.logFile
    const meta = describeMachine(machine, attempt, wallClock())
    this.#meta = { ...meta, writer: thisProcess() }
    writeMeta(directory, redactor.value(this.#meta))
    writeFileSync(join(directory, 'command-line.sh'), redactor.text(commandLineScript(machine)), { mode: 0o700 })
    for (const name of [TIMELINE_FILE, QMP_FILE]) rmSync(join(directory, name), { force: true })
    if (!redactor.active) this.#captures = new NetworkCaptures(machine.devices, directory, artifacts.maxBytes)
    else if (NetworkCaptures.concern(machine.devices)) this.#cut['network.pcapng'] = `left out: ${UNSEARCHABLE}`
  }

  #files(): { readonly timeline: JsonLinesFile; readonly qmp: JsonLinesFile } {
    const { directory, artifacts } = this.#options
    const { maxBytes } = artifacts
    const timeline = new JsonLinesFile(join(directory, TIMELINE_FILE), {
      maxBytes,
      cut: (text) => ({ time: this.#time(), kind: 'cut', text }) satisfies TimelineEntry,
    })
    const qmp = new JsonLinesFile(join(directory, QMP_FILE), {
      maxBytes,
      cut: (text) => ({ time: this.#time(), direction: 'cut', message: { text } }),
    })
    this.#timeline = timeline
    this.#qmp = qmp
    return { timeline, qmp }
  }

  #write(given: MachineEvent, seconds: number, timeline: JsonLinesFile, qmp: JsonLinesFile): void {
    const time = rounded(seconds)
    const event = this.#options.redactor.active ? withoutKeys(given) : given
    if (event.kind === 'qmp') qmp.add(this.#clean({ time, direction: event.direction, message: event.message }))
    if (event.kind === 'cut') this.#cut[LOG_FILE] = `${event.bytesLeftOut} bytes are left out`
    if (event.kind === 'dump' && event.problem !== undefined) this.#cut[VMCORE] = `left out: ${event.problem}`
    if (event.kind === 'exit') {
      this.#ended = { duration: Math.round(seconds * 1000), exit: event.message, exitReason: event.reason }
    }
    if (event.kind === 'unmatched') this.#lastFailure = this.#options.redactor.text(event.message)
    const entry = timelineEntry(event, time)
    if (entry === undefined) return
    // Text that may be the start of a secret is held back until the next input.
    const text = entry.kind === 'send' ? this.#typed(entry.text) : entry.text
    if (text !== '') timeline.add(this.#clean({ ...entry, text }))
  }

  /** Turns file system errors into a warning and an entry in `meta.json`, so that they do not fail the test. */
  #onDisk(name: string, write: () => void): void {
    try {
      write()
    } catch (error) {
      const why = messageOf(error)
      this.#cut[name] = `incomplete: ${why}`
      process.emitWarning(`${join(this.#options.directory, name)} is incomplete: ${why}`, 'ColdbootWarning')
    }
  }

  async #onDiskLater(name: string, write: () => Promise<void>): Promise<void> {
    try {
      await write()
    } catch (error) {
      this.#onDisk(name, () => {
        throw error
      })
    }
  }

  #discard(film: Film | undefined): Promise<void> | undefined {
    return film && this.#onDiskLater(FILM_DIRECTORY, () => film.discard())
  }

  #time(): number {
    return rounded((now() - this.#startedAt) / 1000)
  }

  #clean(value: unknown): unknown {
    return this.#options.redactor.value(value)
  }
}

function both(one: MachineObserver, other: MachineObserver): MachineObserver {
  return (machine) => {
    const listeners = [one(machine), other(machine)]
    return (event, timeMs) => {
      for (const listener of listeners) listener(event, timeMs)
    }
  }
}

function rounded(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
