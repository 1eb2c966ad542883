/** Tests that ran inside the guests of one attempt of a test, from what an observer of its machines is told. */
import type { GuestTest, TestsEvent, VMOptions } from '@coldboot/core'
import type { Attempt, GuestTestRecord, Redactor } from '@coldboot/report'

/** One run of tests inside a guest, for people. */
export interface GuestTestNotice {
  /** `2 passed, 1 failed, 1 skipped: ./run.sh in vm`. */
  readonly summary: string
  /** Those that failed, unless an error tells of them already. */
  readonly failures: readonly GuestTest[]
}

/** Gathers them. */
export class GuestTests {
  readonly #attempt: Attempt
  readonly #redactor: Redactor
  readonly #notify: (notice: GuestTestNotice) => void
  readonly #records: GuestTestRecord[] = []

  /** @param notify told of each run of tests when it is over */
  constructor(attempt: Attempt, redactor: Redactor, notify: (notice: GuestTestNotice) => void = () => {}) {
    this.#attempt = attempt
    this.#redactor = redactor
    this.#notify = notify
  }

  /** In the order they were reported. */
  get records(): readonly GuestTestRecord[] {
    return this.#records
  }

  /** The options, with an observer that sees the guest’s tests besides the one that was there. */
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
