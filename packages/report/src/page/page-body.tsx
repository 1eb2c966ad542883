/** Shows the whole run: errors outside of tests, then the tests by file, with failed files first. */
import type { VNode } from 'preact'
import type { RunReport } from '../run-report.ts'
import { errorParts } from './error-parts.ts'
import { ErrorView } from './error-view.tsx'
import { choicesOf } from './facets.ts'
import { FileSection } from './file-section.tsx'
import { counted, formatText } from './format-text.ts'
import { Names } from './names.tsx'
import type { PageContext } from './page-context.ts'
import { PageHeader } from './page-header.tsx'
import type { FileGroup, PageModel, TestEntry } from './page-model.ts'
import { Prose } from './prose.tsx'
import type { Article } from './test-article.tsx'

export function PageBody(props: {
  readonly run: RunReport
  readonly model: PageModel
  readonly articles: ReadonlyMap<TestEntry, Article>
  readonly page: PageContext
}): VNode {
  const { run, model, articles, page } = props
  const [first] = model.articles
  const choices = choicesOf([...articles.values()].map(({ facets }) => facets))
  return (
    <>
      <PageHeader run={run} model={model} choices={choices} />
      <div class="columns">
        <Contents files={model.files} articles={articles} />
        <main>
          <Outside model={model} page={page} />
          {model.files.map((group) => (
            <FileSection group={group} articles={articles} first={first?.status === 'failed' ? first : undefined} />
          ))}
        </main>
      </div>
    </>
  )
}

/** Errors outside of tests. Folded, because they could hide the tests; a single error is unfolded if no test failed. */
function Outside({ model, page }: { readonly model: PageModel; readonly page: PageContext }): VNode | null {
  const { errors, counts } = model
  if (errors.length === 0) return null
  return (
    <section class="outside" aria-label="Errors outside of tests">
      <h2>{counted(errors.length, 'error')} outside of tests</h2>
      {errors.map((error) => (
        <details open={errors.length === 1 && counts.failed === 0}>
          <summary>
            <span class="error-name">{formatText(error.name)}</span>{' '}
            <span class="reason">
              <Prose text={errorParts(error).headline} />
            </span>
          </summary>
          <ErrorView error={error} page={page} />
        </details>
      ))}
    </section>
  )
}

/** Links to the tests with articles, beside them on wide screens. */
function Contents(props: {
  readonly files: readonly FileGroup[]
  readonly articles: ReadonlyMap<TestEntry, Article>
}): VNode | null {
  const { files, articles } = props
  if (articles.size === 0) return null
  return (
    <nav aria-label="Tests with errors or files">
      {files.map(({ file, tests }) => {
        const listed = tests.filter((entry) => articles.has(entry))
        if (listed.length === 0) return null
        return (
          <div class="group">
            <h2>{formatText(file)}</h2>
            <ol>
              {listed.map(({ test, id, status }) => (
                <li class={status}>
                  <a href={`#${encodeURI(id)}`} data-test={id}>
                    <Names names={test.names} />
                  </a>
                </li>
              ))}
            </ol>
          </div>
        )
      })}
    </nav>
  )
}
