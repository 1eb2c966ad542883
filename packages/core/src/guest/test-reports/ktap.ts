/** Reads KTAP, as the Linux kernel's own tests print it: kselftest and KUnit (Documentation/dev-tools/ktap.rst). */
import { KERNEL_STAMP } from '../../console/text/kernel-line.ts'
import type { GuestTest } from '../../events/machine-event.ts'
import { guestTest, logExcerpt, type TestReport } from './guest-test.ts'

/** What the kernel's log puts before a line. */
const STAMP = new RegExp(`^${KERNEL_STAMP.source}`)
const RESULT = /^(ok|not ok) (\d+)(?: -)?(?: ([^#]*?))?(?: *# *(\w+)?:? ?(.*))?$/
const PLAN = /^1\.\.(\d+)/
const VERSION = /^K?TAP version \d+$/

/** One level of nesting: what was read since the last result of the level above. */
interface Level {
  readonly tests: GuestTest[]
  results: number
  planned: number | undefined
}

const newLevel = (): Level => ({ tests: [], results: 0, planned: undefined })

/** @param text the output, or the kernel's log */
export function readKtap(text: string): TestReport {
  const levels: Level[] = []
  const problems: string[] = []
  let lines: string[] = []
  for (const raw of text.split('\n')) {
    const line = raw.replace(STAMP, '').trimEnd()
    const content = line.trimStart()
    const depth = Math.floor((line.length - content.length) / 2)
    const plan = PLAN.exec(content)
    const result = RESULT.exec(content)
    if (content.startsWith('Bail out!')) problems.push(content)
    else if (plan) levelAt(levels, depth).planned = Number(plan[1])
    else if (result) {
      addResult(levels, depth, result, lines, problems)
      lines = []
    } else if (!VERSION.test(content)) lines.push(content)
  }
  const open = levels.splice(1).flatMap(({ tests }) => tests)
  if (open.length > 0) problems.push('The report ends within a group of tests')
  const [top = newLevel()] = levels
  checkPlan(top, '', problems)
  return { tests: [...top.tests, ...open], problems }
}

function levelAt(levels: Level[], depth: number): Level {
  while (levels.length <= depth) levels.push(newLevel())
  return levels[depth] ?? newLevel()
}

function addResult(
  levels: Level[],
  depth: number,
  [, verdict = '', number = '', name = '', directive = '', reason = '']: RegExpExecArray,
  lines: readonly string[],
  problems: string[],
): void {
  const level = levelAt(levels, depth)
  const [below, ...deeper] = levels.splice(depth + 1)
  const title = name.trim() === '' ? `test ${number}` : name.trim()
  level.results++
  if (below === undefined || below.tests.length + deeper.length === 0) {
    const message = reason.trim() || (isKnown(directive) ? '' : `${directive} ${reason}`.trim())
    level.tests.push(guestTest([title], statusOf(verdict, directive), { message, log: logExcerpt(lines) }))
    return
  }
  checkPlan(below, ` of ${title}`, problems)
  const children = [...below.tests, ...deeper.flatMap(({ tests }) => tests)]
  for (const { path, status, message, log } of children) {
    level.tests.push(guestTest([title, ...path], status, { message, log }))
  }
  if (verdict === 'not ok' && children.every(({ status }) => status !== 'failed')) {
    level.tests.push(guestTest([title], 'failed', { message: reason.trim(), log: logExcerpt(lines) }))
  }
}

function checkPlan({ planned, results }: Level, where: string, problems: string[]): void {
  if (planned !== undefined && planned !== results)
    problems.push(`${results} tests${where} ran, and ${planned} were planned`)
}

function isKnown(directive: string): boolean {
  return ['', 'SKIP', 'TODO', 'XFAIL'].includes(directive.toUpperCase())
}

/** ERROR and TIMEOUT are failures, in a result that says so itself. */
function statusOf(verdict: string, directive: string): GuestTest['status'] {
  const word = directive.toUpperCase()
  if (word === 'SKIP') return 'skipped'
  if (word === 'TODO' || word === 'XFAIL') return 'todo'
  return verdict === 'ok' ? 'passed' : 'failed'
}
