/** Shows the name of a test after those of its groups. */
import type { VNode } from 'preact'
import { formatText } from './format-text.ts'

export function Names({ names }: { readonly names: readonly string[] }): VNode {
  return (
    <>
      {names.slice(0, -1).map((name) => (
        <>
          <span class="describe">{formatText(name)}</span>
          <span class="apart"> › </span>
        </>
      ))}
      {formatText(names.at(-1) ?? '')}
    </>
  )
}
