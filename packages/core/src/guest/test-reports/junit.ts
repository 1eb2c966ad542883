/** Reads JUnit XML reports: `<testsuite>`, `<testcase>`, `<failure>`. */

import { stripVTControlCharacters } from 'node:util'
import { messageOf } from '../../errors.ts'
import type { GuestTest } from '../../events/machine-event.ts'
import { guestTest, logExcerpt, type TestReport } from './guest-test.ts'

type Status = GuestTest['status']
type Attributes = Readonly<Record<string, string>>

interface Outcome {
  readonly status: Status
  readonly message: string
}

interface Case {
  readonly path: readonly string[]
  readonly duration: number | undefined
  /** Outcome that the attributes of the element state. */
  readonly state: Outcome | undefined
  /** Status that the child elements state. */
  status: Status
  message: string
  readonly lines: string[]
}

interface Suite {
  readonly name: string
  /** Number of failures and errors that the attributes of the element state. */
  readonly announced: number
  /** Number of cases before the suite. */
  readonly first: number
}

/** Elements that set the status. `flakyFailure` and `rerunFailure` describe other runs of the case, so they do not. */
const OUTCOMES: Readonly<Record<string, Status>> = { failure: 'failed', error: 'failed', skipped: 'skipped' }

/** Values of the attributes `status` and `result`, as googletest, CTest and others write them. */
const STATES: Readonly<Record<Exclude<Status, 'passed'>, RegExp>> = {
  failed: /^(?:fail(?:ed|ure)?|errore?d?|broken|crash(?:ed)?|regression|time[ds]?[ -]?out|aborted)$/i,
  skipped: /^(?:not[ -]?run|suppressed|skip(?:ped)?|disabled|ignored?|pending|inconclusive)$/i,
  todo: /^(?:todo|xfail(?:ed)?)$/i,
}
const RANK: readonly Status[] = ['passed', 'todo', 'skipped', 'failed']

const SUITES: ReadonlySet<string> = new Set(['testsuite', 'testsuites'])
const CASE = 'testcase'
/** Replaces a missing name of a case or a suite. */
const NAMELESS = 'unnamed'

/** Characters that XML 1.0 does not allow. */
const FORBIDDEN =
  /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/
const ALL_FORBIDDEN = new RegExp(FORBIDDEN, 'g')

/** Start of a document. Programs may print other lines before and after it. */
const START = /<(?:\?xml\s|testsuites?[\s/>])/

/**
 * Reads one or more documents. From a truncated document, reads the cases before its end.
 * @throws Error when the XML is not well-formed and no case can be read
 */
export async function readJunit(xml: string): Promise<TestReport> {
  const { SaxesParser } = await import('saxes')
  const report = { tests: [] as GuestTest[], problems: [] as string[] }
  let rest = allowedInXml(xml).trim()
  do {
    rest = rest.slice(Math.max(rest.search(START), 0))
    const reader = new JunitReader(report)
    const parser = new SaxesParser()
    let end = 0
    parser.on('error', (error) => {
      throw error
    })
    parser.on('opentag', ({ name, attributes }) => reader.open(name, attributes))
    parser.on('text', (text) => reader.text(text))
    parser.on('cdata', (text) => reader.text(text))
    parser.on('closetag', ({ name }) => {
      reader.close(name)
      if (reader.isDone && end === 0) end = parser.position
    })
    try {
      parser.write(rest).close()
    } catch (error) {
      if (end === 0 && report.tests.length === 0) throw error
      if (end === 0)
        report.problems.push(`The report is truncated or not well-formed${reader.where}: ${reasonOf(error)}`)
    }
    rest = end === 0 ? '' : rest.slice(end)
  } while (START.test(rest))
  return report
}

function reasonOf(error: unknown): string {
  return messageOf(error)
}

/** Most levels of nested elements. */
const DEEPEST = 1000

class JunitReader {
  readonly #report: { readonly tests: GuestTest[]; readonly problems: string[] }
  readonly #suites: Suite[] = []
  #depth = 0
  #isDone = false
  #case: Case | undefined
  /** A failed set-up or tear-down: an outcome in a suite, outside of a case. */
  #outside: Case | undefined
  #text = ''

  constructor(report: { readonly tests: GuestTest[]; readonly problems: string[] }) {
    this.#report = report
  }

  /** Whether the outermost element is closed. */
  get isDone(): boolean {
    return this.#isDone
  }

  /** The current case or suite, for a message. */
  get where(): string {
    const path = this.#case?.path ?? this.#path
    return path.length === 0 ? '' : ` within ${path.join(' > ')}`
  }

  open(name: string, attributes: Attributes): void {
    if (this.#isDone) return
    if (++this.#depth > DEEPEST) throw new Error('its elements are nested too deeply')
    this.#text = ''
    if (SUITES.has(name)) this.#suites.push(this.#newSuite(name, attributes))
    else if (name === CASE) this.#case = newCase(this.#path, attributes)
    const outcome = OUTCOMES[name]
    if (outcome === undefined) return
    if (this.#case === undefined) this.#outside = newCase(this.#path, { name: '' })
    const current = this.#case ?? this.#outside
    if (current === undefined || RANK.indexOf(outcome) <= RANK.indexOf(current.status)) return
    current.status = outcome
    current.message = attributes['message'] ?? ''
  }

  text(text: string): void {
    this.#text += text
  }

  close(name: string): void {
    if (this.#isDone) return
    this.#isDone = --this.#depth === 0
    const current = this.#case ?? this.#outside
    if (name === CASE && this.#case) {
      this.#end(this.#case)
      this.#case = undefined
    } else if (current !== undefined) {
      const isOutcome = OUTCOMES[name] !== undefined
      const lines = this.#text.trim() === '' ? [] : this.#text.trim().split('\n')
      if (isOutcome && current.message === '') current.message = lines[0] ?? ''
      for (const line of lines) current.lines.push(line)
      if (isOutcome && this.#outside) this.#end(this.#outside)
      if (isOutcome) this.#outside = undefined
    }
    if (SUITES.has(name)) this.#endSuite()
    this.#text = ''
  }

  #end({ path, duration, state, status, message, lines }: Case): void {
    const isWorse = state !== undefined && RANK.indexOf(state.status) > RANK.indexOf(status)
    const outcome = isWorse ? state : { status, message }
    const names = path.filter((name) => name !== '')
    const log = logExcerpt(lines)
    this.#report.tests.push(
      guestTest(names.length > 0 ? names : [NAMELESS], outcome.status, { ...outcome, duration, log }),
    )
  }

  #newSuite(element: string, attributes: Attributes): Suite {
    const { name = '', failures, errors } = attributes
    const announced = (Number(failures) || 0) + (Number(errors) || 0)
    // A `<testsuites>` element has the name of the program, or none. It is not part of the path.
    return { name: element === 'testsuite' ? name : '', announced, first: this.#report.tests.length }
  }

  #endSuite(): void {
    const path = this.#path
    const suite = this.#suites.pop()
    if (suite === undefined || suite.announced === 0) return
    if (this.#report.tests.slice(suite.first).some(({ status }) => status === 'failed')) return
    const where = path.length === 0 ? 'The report' : path.join(' > ')
    this.#report.problems.push(`${where} says that ${suite.announced} failed, but no test case did`)
  }

  get #path(): readonly string[] {
    return this.#suites.map(({ name }) => name).filter((name) => name !== '')
  }
}

function newCase(suites: readonly string[], attributes: Attributes): Case {
  const { name = '', classname, time, status: first = '', result: second = '' } = attributes
  // Most writers give the class and the suite the same name.
  const isNew = classname !== undefined && classname !== '' && classname !== suites.at(-1)
  const seconds = Number(time ?? Number.NaN)
  return {
    path: [...suites, ...(isNew ? [classname] : []), name],
    duration: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    state: stateOf([first, second]),
    status: 'passed',
    message: '',
    lines: [],
  }
}

/** The worst outcome that the attributes state. */
function stateOf(values: readonly string[]): Outcome | undefined {
  for (const status of ['failed', 'skipped', 'todo'] as const) {
    const message = values.find((value) => STATES[status].test(value))
    if (message !== undefined) return { status, message }
  }
  return undefined
}

/**
 * Removes characters that XML does not allow, although programs write them: escape sequences, control characters, and
 * character references to them.
 */
function allowedInXml(xml: string): string {
  const resolved = xml.replace(/&#(?:x([\da-f]{1,6})|(\d{1,7}));/gi, (reference, hex?: string, decimal = '') => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    if (code > 0x10_ffff) return ''
    return FORBIDDEN.test(String.fromCodePoint(code)) ? String.fromCodePoint(code) : reference
  })
  return stripVTControlCharacters(resolved).replace(ALL_FORBIDDEN, '')
}
