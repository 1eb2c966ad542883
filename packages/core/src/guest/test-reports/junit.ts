/** Reads reports of the form that JUnit's Ant task began: `<testsuite>`, `<testcase>`, `<failure>`. */
import type { GuestTest } from '../../events/machine-event.ts'
import { guestTest, logExcerpt, type TestReport } from './guest-test.ts'

interface Case {
  readonly path: readonly string[]
  readonly durationMs: number | undefined
  status: GuestTest['status']
  message: string
  readonly lines: string[]
}

const OUTCOMES: Readonly<Record<string, GuestTest['status']>> = {
  failure: 'failed',
  error: 'failed',
  skipped: 'skipped',
}
const SUITE = 'testsuite'
const CASE = 'testcase'

/**
 * @param xml one document
 * @throws Error when it is not well-formed
 */
export async function readJunit(xml: string): Promise<TestReport> {
  const { SaxesParser } = await import('saxes')
  const parser = new SaxesParser()
  const tests: GuestTest[] = []
  const suites: string[] = []
  let current: Case | undefined
  let text = ''
  parser.on('error', (error) => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    text = ''
    if (name === SUITE) suites.push(attributes['name'] ?? '')
    if (name === CASE) current = newCase(suites, attributes)
    const outcome = OUTCOMES[name]
    if (current === undefined || outcome === undefined) return
    current.status = outcome
    current.message = attributes['message'] ?? ''
  })
  const take = (part: string): void => {
    text += part
  }
  parser.on('text', take)
  parser.on('cdata', take)
  parser.on('closetag', ({ name }) => {
    if (name === SUITE) suites.pop()
    if (current === undefined) return
    if (name === CASE) {
      const { path, status, durationMs, message, lines } = current
      tests.push(guestTest(path, status, { durationMs, message, log: logExcerpt(lines) }))
      current = undefined
      return
    }
    const lines = text.trim() === '' ? [] : text.trim().split('\n')
    if (OUTCOMES[name] && current.message === '') current.message = lines[0] ?? ''
    current.lines.push(...lines)
  })
  parser.write(xml.trim()).close()
  return { tests, problems: [] }
}

function newCase(suites: readonly string[], attributes: Readonly<Record<string, string>>): Case {
  const { name = '', classname, time } = attributes
  const above = suites.filter((suite) => suite !== '')
  // Most writers name the class as the suite.
  const isNew = classname !== undefined && classname !== '' && classname !== above.at(-1)
  const seconds = Number(time ?? Number.NaN)
  return {
    path: [...above, ...(isNew ? [classname] : []), name],
    durationMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    status: 'passed',
    message: '',
    lines: [],
  }
}
