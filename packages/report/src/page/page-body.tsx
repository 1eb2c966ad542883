/** Shows the whole run: failed tests, then interrupted and flaky tests, then lists of the others. */
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import { hasFiles, isFlaky, type RunReport, type TestReport } from '../run-report.ts'
import { ErrorView } from './error-view.tsx'
import { counted, formatText } from './format-text.ts'
import { Names } from './names.tsx'
import type { PageContext } from './page-context.ts'
import { TestArticle } from './test-article.tsx'

export function PageBody({ run, page }: { readonly run: RunReport; readonly page: PageContext }): VNode {
  const failed = identified(
    run.tests.filter(({ state }) => state === 'failed'),
    'failed',
  )
  const flaky = identified(run.tests.filter(isFlaky), 'flaky')
  const interrupted = identified(run.tests.filter(isInterrupted), 'interrupted')
  const kept = identified(
    run.tests.filter((test) => test.state === 'passed' && !isFlaky(test) && hasFiles(test)),
    'kept',
  )
  return (
    <>
      <header>
        <h1>{titleOf(run)}</h1>
        <p class="about">
          <Counts run={run} /> {formatText(run.runner)} ·{' '}
          <time dateTime={new Date(run.started).toISOString()}>{dateOf(run)}</time> · {formatDuration(run.duration)}
        </p>
      </header>
      <div class="columns">
        <Contents
          groups={[
            { title: 'Failed', tests: failed },
            { title: 'Interrupted', tests: interrupted },
            { title: 'Passed after a retry', tests: flaky },
          ]}
        />
        <main>
          {run.errors.length > 0 && (
            <section class="outside" aria-label="Errors outside of tests">
              <h2>Errors outside of tests</h2>
              {run.errors.map((error) => (
                <ErrorView error={error} root={page.root} withMachines={false} />
              ))}
            </section>
          )}
          {failed.map(({ test, id }, index) => (
            <TestArticle test={test} id={id} open={index === 0} page={page} />
          ))}
          <Group title="Interrupted" tests={interrupted} page={page} />
          <Group title="Passed after a retry" tests={flaky} page={page} />
          <Group title="Passed, with files kept" tests={kept} page={page} />
          <Rest title="Passed" tests={run.tests.filter(({ state }) => state === 'passed')} />
          <Rest title="Skipped" tests={run.tests.filter((test) => test.state === 'skipped' && !isInterrupted(test))} />
        </main>
      </div>
    </>
  )
}

/** Title and heading of the page: the result of the run. */
export function titleOf(run: RunReport): string {
  const failed = run.tests.filter(({ state }) => state === 'failed').length
  const ran = run.tests.filter(({ state }) => state !== 'skipped').length
  if (failed > 0) return `${failed} of ${counted(ran, 'test')} failed`
  const interrupted = run.tests.filter(isInterrupted).length
  if (interrupted > 0) return `${counted(interrupted, 'test')} interrupted`
  if (run.errors.length > 0) return `${counted(run.errors.length, 'error')} outside of tests`
  return `${counted(ran, 'test')} passed`
}

interface Identified {
  readonly test: TestReport
  readonly id: string
}

function identified(tests: readonly TestReport[], name: string): readonly Identified[] {
  return tests.map((test, index) => ({ test, id: `${name}-${index + 1}` }))
}

/** Whether the test started but did not end. */
function isInterrupted(test: TestReport): boolean {
  return test.state === 'skipped' && hasFiles(test)
}

function dateOf({ started }: RunReport): string {
  return `${new Date(started).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

function Counts({ run }: { readonly run: RunReport }): VNode {
  const count = (wanted: (test: TestReport) => boolean): number => run.tests.filter(wanted).length
  const counts = [
    ['failed', count(({ state }) => state === 'failed')],
    ['passed', count(({ state }) => state === 'passed')],
    ['after a retry', count(isFlaky)],
    ['interrupted', count(isInterrupted)],
    ['skipped', count((test) => test.state === 'skipped' && !isInterrupted(test))],
  ] as const
  return (
    <>
      {counts.map(
        ([name, number]) =>
          number > 0 && (
            <>
              <span class={`count ${name}`}>
                <b>{number}</b> {name}
              </span>{' '}
              ·{' '}
            </>
          ),
      )}
    </>
  )
}

function Contents(props: {
  readonly groups: readonly { readonly title: string; readonly tests: readonly Identified[] }[]
}): VNode | null {
  const groups = props.groups.filter(({ tests }) => tests.length > 0)
  if (groups.length === 0) return null
  return (
    <nav aria-label="Failed and flaky tests">
      {groups.map(({ title, tests }) => (
        <>
          <h2>{title}</h2>
          <ol>
            {tests.map(({ test, id }) => (
              <li>
                <a href={`#${id}`}>
                  <Names names={test.names} />
                </a>
              </li>
            ))}
          </ol>
        </>
      ))}
    </nav>
  )
}

function Group(props: {
  readonly title: string
  readonly tests: readonly Identified[]
  readonly page: PageContext
}): VNode | null {
  const { title, tests, page } = props
  if (tests.length === 0) return null
  return (
    <section class="group" aria-label={title}>
      <h2 class="title">{title}</h2>
      {tests.map(({ test, id }) => (
        <TestArticle test={test} id={id} open={false} page={page} />
      ))}
    </section>
  )
}

function Rest({ title, tests }: { readonly title: string; readonly tests: readonly TestReport[] }): VNode | null {
  if (tests.length === 0) return null
  const files = Map.groupBy(tests, ({ file }) => file)
  return (
    <details class="rest">
      <summary>
        <h2>
          {title} <span class="note">{counted(tests.length, 'test')}</span>
        </h2>
      </summary>
      {[...files].map(([file, inFile]) => (
        <>
          <h3>{formatText(file)}</h3>
          <ul>
            {inFile.map((test) => (
              <li>
                <Names names={test.names} /> <span class="note">{formatDuration(test.duration)}</span>
              </li>
            ))}
          </ul>
        </>
      ))}
    </details>
  )
}
