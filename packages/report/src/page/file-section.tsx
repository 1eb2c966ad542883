/** Shows the tests of a file: tests with errors or files as articles, then a list of the others. */
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import { formatText } from './format-text.ts'
import { Names } from './names.tsx'
import { type FileGroup, STATUSES, type TestEntry } from './page-model.ts'
import { type Article, TestArticle } from './test-article.tsx'

export function FileSection(props: {
  readonly group: FileGroup
  readonly articles: ReadonlyMap<TestEntry, Article>
  /** The test that is unfolded initially. */
  readonly first: TestEntry | undefined
}): VNode {
  const { group, articles, first } = props
  const { file, tests } = group
  const others = tests.filter((entry) => !articles.has(entry))
  return (
    <details class="file" open={articles.size > 0 && others.length < tests.length}>
      <summary>
        <h2>{formatText(file)}</h2> <span class="note">{countsIn(tests)}</span>
      </summary>
      {tests.map((entry) => {
        const article = articles.get(entry)
        return article && <TestArticle entry={entry} article={article} open={entry === first} />
      })}
      {others.length > 0 && (
        <details class="rest" open={others.length === tests.length}>
          <summary>{countsIn(others)}</summary>
          <ul>
            {others.map(({ test, id, status }) => (
              <li class={`item row ${status}`} id={id} tabIndex={-1} data-status={status}>
                <span class="status">{status}</span> <Names names={test.names} />{' '}
                {status !== 'skipped' && <span class="note">{formatDuration(test.duration)}</span>}
              </li>
            ))}
          </ul>
        </details>
      )}
    </details>
  )
}

/** For example `2 failed, 14 passed`. */
function countsIn(tests: readonly TestEntry[]): string {
  return STATUSES.flatMap((status) => {
    const count = tests.filter((entry) => entry.status === status).length
    return count > 0 ? [`${count} ${status}`] : []
  }).join(', ')
}
