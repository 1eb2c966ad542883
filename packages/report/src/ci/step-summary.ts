/** The machines of failed tests in Markdown, for the summary of a CI job. */
import { basename, relative } from 'node:path'
import { errorParts } from '../page/error-parts.ts'
import { counted, formatText } from '../page/format-text.ts'
import type { RunReport, TestReport } from '../run-report.ts'
import { consoleEnd } from './console-end.ts'

/** Tests that are told of; GitHub takes no more than 1 MiB, of which others want a part. */
const MOST = 30
const LINES = 20

/**
 * What failed, with the end of each console. What a guest printed is code in Markdown, whatever it printed.
 * @param page path of the page, when there is one
 * @returns empty when no test failed that has machines
 */
export function stepSummary(run: RunReport, page?: string): string {
  const failed = run.tests.filter(({ state, attempts }) => state === 'failed' && attempts.at(-1)?.machines.length)
  if (failed.length === 0) return ''
  const parts = ['### Machines of failed tests', ...failed.slice(0, MOST).map((test) => testSummary(test, run.root))]
  if (failed.length > MOST) parts.push(`And ${counted(failed.length - MOST, 'test')} more.`)
  if (page !== undefined) {
    parts.push(
      `The consoles replayed, timelines and files: ${code(relative(run.root, page))} among the job's artifacts.`,
    )
  }
  // Others may have written into it before, without an empty line at the end.
  return `\n${parts.join('\n\n')}\n`
}

function testSummary(test: TestReport, root: string): string {
  const { errors = [], machines = [] } = test.attempts.at(-1) ?? {}
  const title = html([test.file, ...test.names].join(' › '))
  const retries = test.attempts.length > 1 ? ` (${counted(test.attempts.length, 'attempt')})` : ''
  const told = errors.map((error) => {
    const { headline, text } = errorParts(error, true)
    return fenced([headline, text].filter(Boolean).join('\n'))
  })
  const consoles = machines.map((directory) => {
    const end = consoleEnd(directory, LINES)
    const about = `Console of ${code(basename(directory))}, files in ${code(relative(root, directory))}`
    return `${about}\n\n${end ? fenced(end) : '(nothing was printed)'}`
  })
  return [`<details><summary>${title}${retries}</summary>`, ...told, ...consoles, '</details>'].join('\n\n')
}

/** A block of code that nothing in it can end. */
function fenced(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}text\n${text}\n${fence}`
}

function code(text: string): string {
  const ticks = '`'.repeat(Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length)) + 1)
  return `${ticks}${text.startsWith('`') || text.endsWith('`') ? ` ${text} ` : text}${ticks}`
}

function html(text: string): string {
  return formatText(text).replaceAll('\n', ' ').replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
