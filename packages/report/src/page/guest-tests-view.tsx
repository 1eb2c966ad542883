/** Shows the tests that one command ran inside a guest: failed tests with their output, the others folded up. */
import type { VNode } from 'preact'
import type { GuestTestRecord } from '../guest-test-record.ts'
import { counted, formatText } from './format-text.ts'
import { Names } from './names.tsx'

export function GuestTests({ tests }: { readonly tests: readonly GuestTestRecord[] }): VNode {
  const failed = tests.filter(({ status }) => status === 'failed')
  const others = tests.filter(({ status }) => status !== 'failed')
  const { machine = '', command = '' } = tests[0] ?? {}
  return (
    <div class="guest-tests">
      <h4>
        <span class="noun">Tests inside</span> {formatText(machine)}{' '}
        <span class="noun">
          {failed.length} of {counted(tests.length, 'test')} failed
        </span>
      </h4>
      <p class="note">
        <code>{formatText(command)}</code>
      </p>
      <ul>
        {failed.map((test) => (
          <Item test={test} />
        ))}
      </ul>
      {others.length > 0 && (
        <details class="more">
          <summary>{counted(others.length, 'other test')}</summary>
          <ul>
            {others.map((test) => (
              <Item test={test} />
            ))}
          </ul>
        </details>
      )}
    </div>
  )
}

function Item({ test }: { readonly test: GuestTestRecord }): VNode {
  const { path, status, message, log } = test
  return (
    <li class={status}>
      <span class="state">{status}</span> <Names names={path} />
      {message && <p class="says">{formatText(message)}</p>}
      {log && <pre>{formatText(log)}</pre>}
    </li>
  )
}
