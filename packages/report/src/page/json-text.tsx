/** Shows JSON: short values on one line, others indented and folded. */
import type { ComponentChildren, VNode } from 'preact'
import { formatText } from './format-text.ts'

/** Longest value on one line, characters. */
const SHORT = 72

/** @param title content of the line above a folded value */
export function JsonText({ title, value }: { readonly title: ComponentChildren; readonly value: unknown }): VNode {
  if (value === undefined) return <>{title}</>
  const line = JSON.stringify(value, null, 1).replace(/\n */g, ' ')
  if (line.length <= SHORT) {
    return (
      <>
        {title} <code class="json">{colored(line)}</code>
      </>
    )
  }
  return (
    <details>
      <summary>
        {title} <span class="note">{`${line.slice(0, SHORT)}…`}</span>
      </summary>
      <pre class="json">{colored(JSON.stringify(value, null, 2))}</pre>
    </details>
  )
}

/** A string, which is a key before a colon, or a number, `true`, `false` or `null`. */
const TOKEN = /("(?:\\.|[^"\\])*")(\s*:)?|-?\b\d[\d.eE+-]*\b|\b(?:true|false|null)\b/g

function colored(json: string): ComponentChildren[] {
  const parts: ComponentChildren[] = []
  let end = 0
  for (const match of json.matchAll(TOKEN)) {
    const [whole, string, colon] = match
    const kind = string === undefined ? 'json-value' : colon === undefined ? 'json-string' : 'json-key'
    const text = colon === undefined ? whole : whole.slice(0, -colon.length)
    parts.push(json.slice(end, match.index), <span class={kind}>{formatText(text)}</span>, colon)
    end = match.index + whole.length
  }
  return [...parts, json.slice(end)]
}
