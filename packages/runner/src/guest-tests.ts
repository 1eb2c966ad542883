/** Collects the results of tests inside the guests of one test attempt, from the events of its VMs. */
import type { GuestTest, TestsEvent, VMOptions } from '@coldboot/core'
import type { Attempt, GuestTestRecord, Redactor } from '@coldboot/report'

/** Summary of one test run inside a guest, for display. */
export interface GuestTestNotice {
  /** `2 passed, 1 failed, 1 skipped: ./run.sh in vm`. */
  readonly summary: string
  /** The failed tests. Empty if an error already reports them. */
  readonly failures: readonly GuestTest[]
}

/** The guest tests of one attempt. */
export class GuestTests {
  readonly #attempt: Attempt
  readonly #redactor: Redactor
  readonly #notify: (notice: GuestTestNotice) => void
  readonly #records: GuestTestRecord[] = []

  /** @param notify called at the end of each test run inside a guest */
  constructor(attempt: Attempt, redactor: Redactor, notify: (notice: GuestTestNotice) => void = () => {}) {
    this.#attempt = attempt
    this.#redactor = redactor
    this.#notify = notify
  }

  /** All results, in the order of their reports. */
  get records(): readonly GuestTestRecord[] {
    return this.#records
  }

  /** Adds an observer of guest tests to the options, beside any observer they have. */
  watching(options: VMOptions): VMOptions {
    return {
      ...options,
      observer: (machine) => {
        const other = options.observer?.(machine)
        return (event, timeMs) => {
          if (event.kind === 'tests') this.#add(event, machine.name)
          other?.(event, timeMs)
        }
      },
    }
  }

  #add(event: TestsEvent, machine: string): void {
    const { repeat, retry } = this.#attempt
    const { command, tests, checked } = this.#redactor.value(event) as TestsEvent
    this.#records.push(...tests.map((test) => ({ ...test, machine, command, repeat, retry })))
    const [line = ''] = command.trim().split('\n')
    const failures = checked ? [] : tests.filter(({ status }) => status === 'failed')
    this.#notify({ summary: `${counts(tests)}: ${line} in ${machine}`, failures })
  }
}

function counts(tests: readonly GuestTest[]): string {
  return (['passed', 'failed', 'skipped', 'todo'] as const)
    .map((status) => [tests.filter((test) => test.status === status).length, status] as const)
    .filter(([count]) => count > 0)
    .map((pair) => pair.join(' '))
    .join(', ')
}
