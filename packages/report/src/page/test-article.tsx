/** Shows a test: its attempts with their errors and machines, the last attempt first. */

import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import type { AttemptReport, TestReport } from '../run-report.ts'
import { errorParts } from './error-parts.ts'
import { ErrorView } from './error-view.tsx'
import { counted, formatText } from './format-text.ts'
import { GuestTests } from './guest-tests-view.tsx'
import { readMachine } from './machine-files.ts'
import { MachineView } from './machine-view.tsx'
import { Names } from './names.tsx'
import type { PageContext } from './page-context.ts'

/** @param open whether it is unfolded initially */
export function TestArticle(props: {
  readonly test: TestReport
  readonly id: string
  readonly open: boolean
  readonly page: PageContext
}): VNode {
  const { test, id, open, page } = props
  const attempts = [...test.attempts].reverse()
  const first = attempts.flatMap(({ errors }) => errors)[0]
  return (
    <article class={`test ${test.state}`} id={id}>
      <details open={open}>
        <summary>
          <h2>
            <Names names={test.names} />
          </h2>
          <span class="where">
            {formatText(test.line === undefined ? test.file : `${test.file}:${test.line}`)}
            {test.project && ` · ${formatText(test.project)}`} · {formatDuration(test.duration)}
            {attempts.length > 1 && ` · ${counted(attempts.length, 'attempt')}`}
          </span>
          {first && <span class="glance">{errorParts(first, true).headline}</span>}
        </summary>
        {attempts.length === 1
          ? attempts.map((attempt) => <Attempt attempt={attempt} page={page} />)
          : attempts.map((attempt, index) => (
              <details class="attempt" open={index === 0}>
                <summary>
                  <span class="noun">Attempt {attempts.length - index}</span> {attempt.label}, {attempt.state}
                </summary>
                <Attempt attempt={attempt} page={page} />
              </details>
            ))}
      </details>
    </article>
  )
}

function Attempt({ attempt, page }: { readonly attempt: AttemptReport; readonly page: PageContext }): VNode {
  const { errors, machines, guestTests } = attempt
  return (
    <>
      {errors.map((error) => (
        <ErrorView error={error} root={page.root} withMachines={machines.length > 0} />
      ))}
      {errors.length === 0 && machines.length === 0 && <p class="note">No files of this attempt were kept.</p>}
      {[...Map.groupBy(guestTests, ({ machine, command }) => `${machine}\n${command}`).values()].map((tests) => (
        <GuestTests tests={tests} />
      ))}
      {machines.map((directory) => (
        <MachineView machine={readMachine(directory)} page={page} />
      ))}
    </>
  )
}
