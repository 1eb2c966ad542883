/** Shows the result of the run, the search, and the filters. */
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import type { RunReport } from '../run-report.ts'
import type { Facets } from './facets.ts'
import { counted, formatText } from './format-text.ts'
import { type PageModel, STATUSES } from './page-model.ts'

/** @param choices properties of machines to filter by */
export function PageHeader(props: {
  readonly run: RunReport
  readonly model: PageModel
  readonly choices: Facets
}): VNode {
  const { run, model, choices } = props
  return (
    <header>
      <h1>{titleOf(model)}</h1>
      <p class="about">
        {formatText(run.runner)} · <time dateTime={new Date(run.started).toISOString()}>{dateOf(run)}</time> ·{' '}
        {formatDuration(run.duration)}
      </p>
      <div class="toolbar" role="search">
        <input
          type="search"
          id="search"
          class="scripted"
          placeholder="Search tests, errors, consoles"
          aria-label="Search in tests, errors and consoles"
          autocomplete="off"
          spellcheck={false}
        />
        <span class="statuses" role="group" aria-label="Show only">
          {STATUSES.map(
            (status) =>
              model.counts[status] > 0 && (
                <button type="button" class={`count ${status}`} data-filter={status} aria-pressed="false">
                  <b>{model.counts[status]}</b> {status}
                </button>
              ),
          )}
        </span>
        {Object.entries(choices).map(([title, values]) => (
          <label class="scripted">
            {title}{' '}
            <select data-facet={title} aria-label={title}>
              <option value="">any</option>
              {values.map((value) => (
                <option value={value}>{formatText(value)}</option>
              ))}
            </select>
          </label>
        ))}
        <button type="button" class="scripted" data-act="help" title="Keyboard shortcuts (?)">
          ?
        </button>
        <output class="found scripted" />
      </div>
    </header>
  )
}

/** Title and heading of the page: the result of the run. */
export function titleOf({ counts, errors }: PageModel): string {
  const ran = counts.failed + counts.flaky + counts.passed
  if (counts.failed > 0) return `${counts.failed} of ${counted(ran, 'test')} failed`
  if (counts.interrupted > 0) return `${counted(counts.interrupted, 'test')} interrupted`
  if (errors.length > 0) return `${counted(errors.length, 'error')} outside of tests`
  return `${counted(ran, 'test')} passed`
}

function dateOf({ started }: RunReport): string {
  return `${new Date(started).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}
