/** Checks the result of a run: only affected tests fail, and their errors name the fault. */
import { readFileSync } from 'node:fs'
import type { RunnerRun } from '../packages/vitest/test/installed-project.ts'
import type { ChaosEvent } from './events.ts'
import type { Expectation } from './fault.ts'

/** Tests of the project. */
const TESTS = ['a-1', 'a-2', 'b-1', 'c-1']

/** The JSON report of both test runners. */
interface Report {
  readonly testResults: readonly {
    readonly message?: string
    readonly assertionResults: readonly {
      readonly title: string
      readonly status: string
      readonly failureMessages?: readonly string[]
    }[]
  }[]
}

/** What is known about a run. */
export interface Outcome {
  readonly run: RunnerRun
  /** Path of the JSON report. */
  readonly report: string
  readonly events: readonly ChaosEvent[]
  /** The event that the fault followed. */
  readonly victim: ChaosEvent
  /** Test files that were run. */
  readonly files: readonly string[]
}

/** @returns what is wrong */
export function checkOutcome(outcome: Outcome, expects: Expectation): readonly string[] {
  const { run, victim } = outcome
  if (expects.run === 'killed') return run.signal === 'SIGKILL' ? [] : [`the run was not killed: ${formatEnd(run)}`]
  const wrong: string[] = []
  if (run.signal !== null) wrong.push(`the run ended by ${run.signal}`)
  if (expects.run === 'passes' && run.exitCode !== 0) wrong.push(`the run failed: ${formatEnd(run)}`)
  if (expects.run === 'fails' && run.exitCode === 0) wrong.push('the run passed')
  if (expects.prints !== undefined && !expects.prints.test(run.output)) {
    wrong.push(`the run did not print ${String(expects.prints)}`)
  }
  const failures = failedTests(outcome)
  for (const [test, reason] of failures) {
    if (!isAffected(test, victim, expects))
      wrong.push(`${test} failed, although the fault may only affect: ${expects.affected}: ${reason}`)
    else if (reason !== '' && !expects.reasons?.some((one) => one.test(reason))) {
      wrong.push(`${test} failed without naming the fault: ${reason}`)
    }
  }
  if (run.exitCode !== 0 && failures.size === 0 && expects.run !== 'fails')
    wrong.push(`no test failed: ${run.output.slice(-2000)}`)
  return wrong
}

function isAffected(test: string, victim: ChaosEvent, { affected }: Expectation): boolean {
  const file = victim.file ?? victim.test?.split('-')[0]
  if (affected === 'all') return true
  if (affected === 'none') return false
  return affected === 'file' ? test.startsWith(`${file}-`) : test === victim.test
}

/** Name of each test that did not pass → its code and message; empty if there is none, because its worker has ended. */
function failedTests({ report, events, files }: Outcome): ReadonlyMap<string, string> {
  const results = readReport(report).flatMap(({ message = '', assertionResults }) =>
    assertionResults.map((test) => ({ ...test, message })),
  )
  const tests = TESTS.filter((test) => files.includes(test.split('-')[0] ?? ''))
  const reasons = tests.map((name): [string, string] | undefined => {
    const result = results.find(({ title }) => title === name)
    if (result?.status === 'passed') return undefined
    const reported = events.findLast(({ kind, test }) => kind === 'failed' && test === name)
    const text = [reported?.code, reported?.message, ...(result?.failureMessages ?? [])].filter(Boolean).join(' ')
    return [name, text]
  })
  return new Map(reasons.filter((reason) => reason !== undefined))
}

function readReport(file: string): Report['testResults'] {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as Report).testResults
  } catch {
    return []
  }
}

function formatEnd({ exitCode, signal, output }: RunnerRun): string {
  return `exit code ${exitCode}, signal ${signal}\n${output.slice(-3000)}`
}
