/** Parser of one line of KTAP: a version, a plan, a result, or text. */
import { KERNEL_STAMP } from '../../console/text/kernel-line.ts'
import type { GuestTest } from '../../events/machine-event.ts'

/** The result of a test or of a group. */
export interface KtapResult {
  readonly kind: 'result'
  /** Indentation of the line, columns. Each `# ` of kselftest counts as two. */
  readonly width: number
  readonly title: string
  readonly status: GuestTest['status']
  /** The reason or other data after the name. */
  readonly message: string
}

/** A parsed line. */
export type KtapLine =
  | KtapResult
  | { readonly kind: 'version'; readonly width: number }
  | { readonly kind: 'plan'; readonly width: number; readonly planned: number; readonly reason: string }
  | { readonly kind: 'bail-out'; readonly text: string }
  /** `header` is the name of a group that starts. */
  | { readonly kind: 'text'; readonly text: string; readonly header: string | undefined }

/** Line prefixes of dmesg (`-x`, `-T`, ISO times) and journalctl. */
const PREFIXES: readonly RegExp[] = [
  /^(?:kern|user) *:[a-z]+ *: /,
  /^\[[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}\] /,
  /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)|\[ *\d+\.\d+\]) \S+ kernel: /,
  /^\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d) /,
  new RegExp(`^${KERNEL_STAMP.source}`),
]

const INDENT = /^(?:# (?=[# ]|K?TAP version |1\.\.\d|ok |not ok |Bail out!)|[ \t])*/
const VERSION = /^K?TAP version \d+$/
const PLAN = /^1\.\.(\d+)(?:\s*#\s*(?:SKIP\b\S*\s*)?(.*))?$/i
/** A result. Without a number, a dash must follow, because other output may also start with `ok`. */
const RESULT = /^(not )?ok (?:(\d+)(?!\S)|(?=- ))(?:\s*-(?!\S))?(.*)$/
const HEADER = /^[# \t]*# (?:Subtest: (.+)|(selftests: [^:]+: \S+))$/

/** The last directive counts, as in the parser of the kernel. */
const DIRECTIVE = /^(.*\s)#\s*(SKIP|TODO|XFAIL|XPASS|TIMEOUT|ERROR)(?![^\s:]):?(.*)$/
/** A directive of older kselftests: in lower case, with the name after it. */
const NAMELESS = /^\s+#\s*(skip|xfail|error)(?![^\s:]):?(.*)$/i
/** Data after a name, such as `exit=1` and `rcode=0`. */
const DATA = /^(.*?)\s#\s+([\w.-]+=\S*)$/

/** @param raw line without its line end */
export function parseKtapLine(raw: string): KtapLine {
  const line = PREFIXES.reduce((text, prefix) => text.replace(prefix, ''), raw).trimEnd()
  const indent = INDENT.exec(line)?.[0] ?? ''
  const content = line.slice(indent.length)
  const width = indent.replaceAll('\t', ' '.repeat(8)).length
  if (VERSION.test(content)) return { kind: 'version', width }
  const plan = PLAN.exec(content)
  if (plan) return { kind: 'plan', width, planned: Number(plan[1]), reason: plan[2] ?? '' }
  const result = RESULT.exec(content)
  if (result) return { kind: 'result', width, ...verdictOf(result) }
  if (content.startsWith('Bail out!')) return { kind: 'bail-out', text: content }
  const header = HEADER.exec(line)
  return { kind: 'text', text: line.trimStart(), header: header?.[1] ?? header?.[2] }
}

function verdictOf([, not, number, rest = '']: RegExpExecArray): Pick<KtapResult, 'title' | 'status' | 'message'> {
  const verdict = not === undefined ? 'passed' : 'failed'
  const nameless = NAMELESS.exec(rest)
  const directive = nameless ? ['', '', nameless[1], nameless[2]] : DIRECTIVE.exec(rest)
  const data = directive ?? DATA.exec(rest)
  const [name = '', word = '', reason = ''] = directive ? directive.slice(1) : [data?.[1] ?? rest, '', data?.[2]]
  const title = name.trim().replaceAll('\\#', '#')
  return {
    title: title === '' ? (number === undefined ? 'a test' : `test ${number}`) : title,
    status: STATUS[word.toUpperCase()] ?? verdict,
    message: reason.trim(),
  }
}

/** Status of each directive. By ktap.rst, `not ok` with SKIP is skipped. TIMEOUT and ERROR always fail. */
const STATUS: Readonly<Record<string, GuestTest['status']>> = {
  SKIP: 'skipped',
  TODO: 'todo',
  XFAIL: 'todo',
  TIMEOUT: 'failed',
  ERROR: 'failed',
}
