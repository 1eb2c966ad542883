/**
 * Watches a console for guest failures (incident-kinds.ts), with or without pending waits.
 *
 * Examines complete lines of clean text. Because a console may print many MB, a fast search over each chunk first
 * selects the lines. A kernel message counts only if it has a time stamp, or if typical further lines follow, because a
 * program may print "Kernel panic" too. An incident is reported when its text is complete: at its last line, at a pause
 * of the console, or at the exit of the machine.
 */
import { afterReading, now, startTimer, stopTimer } from '../../host/clock.ts'
import type { RegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import { kernelMessage } from '../text/kernel-line.ts'
import { CustomWatch } from './custom-watch.ts'
import type { GuestFailureOptions } from './guest-failure-options.ts'
import type { Incident } from './incident.ts'
import { type GuestFailureName, INCIDENT_KINDS, type IncidentKind } from './incident-kinds.ts'
import { IncidentText } from './incident-text.ts'
import { nameAddresses } from './kernel-symbols.ts'
import { isSuspicious, OVERLAP } from './suspicion.ts'

/** Options of {@link IncidentWatch}. */
export interface IncidentWatchOptions {
  readonly settings: GuestFailureOptions
  readonly regExpTimeout: RegExpTimeout
  /** Multiplies a timeout by `timeoutMultiplier`. */
  readonly scale: (milliseconds: number) => number
  readonly onIncident: (incident: Incident, kind: IncidentKind) => void
  /** Called when the pattern of a custom failure cannot be checked any more. */
  readonly onWarning: (message: string) => void
}

/** Time after which an incident counts as complete even if the console still prints, milliseconds. */
const LONGEST_MS = 3_000
/** Most characters of a line that are examined. */
const LONGEST_LINE = 2_048
/** Most remembered messages. They are not reported again when `dmesg` prints them. */
const MOST_SEEN = 1_000

/** Detects the guest failures of one console. */
export class IncidentWatch {
  readonly #options: IncidentWatchOptions
  readonly #custom: readonly CustomWatch[]
  readonly #seen = new Set<string>()
  /** The incomplete last line. */
  #rest = ''
  /** Whether the incomplete line must be examined (`#suspect`), and whether it was (`#looked`). */
  #suspect = false
  #looked = false
  #current: IncidentText | undefined
  #lastAt = 0
  #timer: NodeJS.Timeout | undefined

  constructor(options: IncidentWatchOptions) {
    this.#options = options
    this.#custom = (options.settings.custom ?? []).map((monitor) => new CustomWatch(monitor, options))
  }

  /** Examines new output, as clean text. */
  take(text: string): void {
    if (text === '') return
    const from = Math.max(0, this.#rest.length - OVERLAP)
    const whole = this.#rest + text
    const hit = this.#suspect || isSuspicious(whole, from)
    const end = Math.max(whole.lastIndexOf('\n'), whole.lastIndexOf('\r')) + 1
    if (hit || this.#current !== undefined) this.#look(whole.slice(0, end))
    this.#setRest(whole.slice(end), end > 0, hit)
    for (const watch of this.#custom) this.#found(watch, watch.take(text))
    if (this.#current !== undefined || this.#suspect) this.#pending()
  }

  /** Adds a failure that QEMU reported. Text of the guest about it may still follow. */
  event(name: GuestFailureName, message: string): void {
    const kind = INCIDENT_KINDS.find((row) => row.name === name)
    if (kind === undefined) return
    this.#current ??= new IncidentText(now(), true)
    this.#current.learn(kind, message)
    this.#pending()
  }

  /** Examines the rest of the output after the machine has exited or restarted. */
  finish(): void {
    stopTimer(this.#timer)
    this.#look(this.#rest)
    this.#setRest('', true, false)
    for (const watch of this.#custom) this.#found(watch, watch.finish())
    // A kernel that panics may reset the machine before it prints the lines that prove the panic.
    const panicked = [...(this.#current?.kinds.keys() ?? [])].some(({ code }) => code === 'GUEST_PANICKED')
    this.#complete(panicked)
  }

  #setRest(rest: string, isNew: boolean, hit: boolean): void {
    this.#rest = rest.length > LONGEST_LINE ? rest.slice(-LONGEST_LINE) : rest
    if (isNew) this.#looked = false
    const worth = this.#current !== undefined || (hit && isSuspicious(this.#rest, 0))
    this.#suspect = worth && rest !== '' && !this.#looked
  }

  #look(lines: string): void {
    for (const line of lines.split(/[\r\n]/)) {
      if (line !== '' && !this.#looked) this.#lookAt(line.slice(0, LONGEST_LINE))
      this.#looked = false
    }
  }

  #lookAt(line: string): void {
    const message = kernelMessage(line)
    const kind = INCIDENT_KINDS.find(({ pattern, byKernel }) => pattern?.test(byKernel ? message.text : line))
    if (kind !== undefined && !this.#isRepeated(line.slice(message.start), message.stamped)) {
      this.#current ??= new IncidentText(now(), false)
      this.#current.recognise(kind, kind.byKernel ? message.text : line, message.stamped)
    }
    this.#current?.add(line)
    if (this.#current?.ended === true && [...this.#current.kinds.keys()].some(isFinal)) this.#complete()
  }

  #isRepeated(text: string, stamped: boolean): boolean {
    if (!stamped || this.#seen.size >= MOST_SEEN) return false
    if (this.#seen.has(text)) return true
    this.#seen.add(text)
    return false
  }

  #found(watch: CustomWatch, line: string | undefined): void {
    if (line === undefined) return
    this.#current ??= new IncidentText(now(), true)
    this.#current.recognise(watch.kind, line, false)
    if (!this.#current.excerpt.includes(line)) this.#current.add(line)
    this.#pending()
  }

  /** Schedules an examination at the next pause of the console. */
  #pending(): void {
    this.#lastAt = now()
    if (this.#current !== undefined && this.#lastAt - this.#current.startedAt > LONGEST_MS) this.#complete()
    else if (this.#timer === undefined) this.#wait(this.#quietMs)
  }

  get #quietMs(): number {
    return this.#options.scale(this.#current?.quietMs ?? 250)
  }

  #wait(milliseconds: number): void {
    this.#timer = startTimer(() => afterReading(() => this.#onPause()), milliseconds)
  }

  #onPause(): void {
    this.#timer = undefined
    if (this.#current === undefined && !this.#suspect) return
    const left = this.#quietMs - (now() - this.#lastAt)
    if (left > 0) {
      this.#wait(left)
      return
    }
    // Examines an incomplete line too, such as a prompt.
    if (this.#rest !== '' && !this.#looked) {
      this.#lookAt(this.#rest)
      this.#looked = true
      this.#suspect = false
    }
    this.#complete()
  }

  #complete(proven: boolean = this.#current?.proven ?? false): void {
    const text = this.#current
    this.#current = undefined
    if (text === undefined || !(proven || text.proven)) return
    const { settings, onIncident } = this.#options
    const kinds = [...text.kinds.keys()].sort((a, b) => gravity(a) - gravity(b))
    const isAllowed = ({ name }: IncidentKind): boolean => settings[name as GuestFailureName] === 'allow'
    const kind = kinds.find((each) => !isAllowed(each)) ?? kinds[0]
    if (kind === undefined) return
    const { name: failure, code } = kind
    const message = text.kinds.get(kind) ?? ''
    const { systemMap } = settings
    const excerpt = systemMap === undefined ? text.excerpt : nameAddresses(text.excerpt, systemMap)
    onIncident(Object.freeze({ failure, code, message, excerpt, allowed: isAllowed(kind) }), kind)
  }
}

/** Whether the incident is complete at its last line, because no more severe failure can follow. */
function isFinal({ name }: IncidentKind): boolean {
  return name === 'panic'
}

function gravity({ name }: IncidentKind): number {
  const index = INCIDENT_KINDS.findIndex((kind) => kind.name === name)
  return index < 0 ? INCIDENT_KINDS.length : index
}
