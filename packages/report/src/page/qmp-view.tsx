/** Shows the QMP messages of a machine. Long messages are folded. */
import type { VNode } from 'preact'
import { formatText } from './format-text.ts'
import { JsonText } from './json-text.tsx'
import type { QmpLine } from './machine-files.ts'
import type { PageContext } from './page-context.ts'

/** Maximum number of messages of one machine. */
const MESSAGES = 300

export function QmpView({ qmp, page }: { readonly qmp: readonly QmpLine[]; readonly page: PageContext }): VNode | null {
  const shown = page.rows.grant(Math.min(qmp.length, MESSAGES), 0)
  if (shown === 0) return null
  return (
    <details class="more">
      <summary>QMP messages ({shown < qmp.length ? `the last ${shown} of ${qmp.length}` : shown})</summary>
      <ol class="qmp" tabIndex={0} aria-label="QMP messages">
        {qmp.slice(-shown).map(({ time, direction, message }) => (
          <li class={direction}>
            <span class="time">{time.toFixed(3)}</span>{' '}
            <span class="direction">{direction === 'sent' ? '→' : '←'}</span>{' '}
            <div class="what">
              <Message message={message} />
            </div>
          </li>
        ))}
      </ol>
    </details>
  )
}

/** A command with its arguments, an event with its data, or an answer. */
function Message({ message }: { readonly message: QmpLine['message'] }): VNode {
  const { execute, event, arguments: given, data, id: _, timestamp: __, ...rest } = message
  if (typeof execute === 'string') return <JsonText title={<b>{formatText(execute)}</b>} value={given} />
  if (typeof event === 'string') return <JsonText title={<b>{formatText(event)}</b>} value={data} />
  const [[name, value] = [], ...others] = Object.entries(rest)
  if (name === undefined || others.length > 0) return <JsonText title="" value={message} />
  return <JsonText title={formatText(name)} value={value} />
}
