/** Shows a test: its attempts with their errors and machines, the last attempt first. */
import { join } from 'node:path'
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import type { AttemptReport } from '../run-report.ts'
import { CopyButton } from './copy-button.tsx'
import { linkTo } from './editor-link.ts'
import { ErrorView } from './error-view.tsx'
import { type Facets, facetsOf } from './facets.ts'
import { counted, formatText } from './format-text.ts'
import { GuestTests } from './guest-tests-view.tsx'
import { type MachineFiles, readMachine } from './machine-files.ts'
import { MachineView } from './machine-view.tsx'
import { Names } from './names.tsx'
import type { PageContext } from './page-context.ts'
import type { TestEntry } from './page-model.ts'
import { Prose } from './prose.tsx'
import { reasonOf } from './reason.ts'
import { sectionUse } from './section-use.ts'

/** The content of a test with the files of its machines. */
export interface Article {
  /** HTML. */
  readonly content: string
  readonly facets: Facets
}

/** Reads the files of a test's machines, and renders its content. Uses the page's size budget. */
export function articleOf(entry: TestEntry, page: PageContext): Article {
  const attempts = entry.test.attempts.map((attempt) => ({ attempt, machines: attempt.machines.map(readMachine) }))
  return {
    content: renderToString(<Content entry={entry} attempts={attempts.toReversed()} page={page} />),
    facets: facetsOf(attempts.flatMap(({ machines }) => machines)),
  }
}

/** @param open whether it is unfolded initially */
export function TestArticle(props: {
  readonly entry: TestEntry
  readonly article: Article
  readonly open: boolean
}): VNode {
  const { entry, article, open } = props
  const { test, id, status } = entry
  const reason = reasonOf(test.attempts)
  return (
    <article
      class={`item test ${status}`}
      id={id}
      tabIndex={-1}
      data-status={status}
      data-facets={JSON.stringify(article.facets)}
    >
      <details open={open}>
        <summary>
          <h3>
            <Names names={test.names} />
          </h3>
          <span class="where">
            <span class="status">{status}</span> · {test.project && `${formatText(test.project)} · `}
            {formatDuration(test.duration)}
            {test.attempts.length > 1 && ` · ${counted(test.attempts.length, 'attempt')}`}
          </span>
          {reason !== undefined && (
            <span class="reason">
              <Prose text={reason} />
            </span>
          )}
        </summary>
        {/* Rendered before, because tests get space in another order than that of the files. */}
        <div class="content" dangerouslySetInnerHTML={{ __html: article.content }} />
      </details>
    </article>
  )
}

interface ReadAttempt {
  readonly attempt: AttemptReport
  readonly machines: readonly MachineFiles[]
}

function Content(props: {
  readonly entry: TestEntry
  readonly attempts: readonly ReadAttempt[]
  readonly page: PageContext
}): VNode {
  const { entry, attempts, page } = props
  // Opens the last failed attempt, even if a later one passed.
  const shown = attempts.find(({ attempt }) => attempt.state === 'failed') ?? attempts[0]
  return (
    <>
      <Actions entry={entry} page={page} />
      {attempts.length === 1
        ? attempts.map((attempt) => <Attempt {...attempt} page={page} />)
        : attempts.map((attempt, index) => (
            <details class="attempt" open={attempt === shown}>
              <summary>
                <span class="noun">Attempt {attempts.length - index}</span> {formatText(attempt.attempt.label)},{' '}
                {attempt.attempt.state}
              </summary>
              <Attempt {...attempt} page={page} />
            </details>
          ))}
    </>
  )
}

/** Links and buttons to open the test in the editor and to copy the rerun command. */
function Actions({ entry, page }: { readonly entry: TestEntry; readonly page: PageContext }): VNode {
  const { file, line, rerun } = entry.test
  const path = line === undefined ? file : `${file}:${line}`
  return (
    <p class="actions">
      {page.editor !== undefined && (
        <a class="editor button" href={linkTo(page.editor, join(page.root, file), line ?? 1)} data-shortcut="e">
          Open in editor
        </a>
      )}
      <CopyButton label="Copy path" text={path} />
      {rerun !== undefined && <CopyButton label="Copy rerun command" text={rerun} shortcut="c" />}
      <button type="button" class="copy" data-copy-link={entry.id} data-shortcut="l">
        Copy link
      </button>
      {rerun !== undefined && <code class="rerun">{formatText(rerun)}</code>}
    </p>
  )
}

function Attempt({ attempt, machines, page }: ReadAttempt & { readonly page: PageContext }): VNode {
  const { errors, guestTests } = attempt
  const useOf = sectionUse(machines)
  return (
    <>
      {errors.map((error) => (
        <ErrorView error={error} page={page} useOf={useOf} />
      ))}
      {errors.length === 0 && machines.length === 0 && <p class="note">No files of this attempt were kept.</p>}
      {[...Map.groupBy(guestTests, ({ machine, command }) => `${machine}\n${command}`).values()].map((tests) => (
        <GuestTests tests={tests} />
      ))}
      {machines.map((machine) => (
        <MachineView machine={machine} page={page} />
      ))}
    </>
  )
}
