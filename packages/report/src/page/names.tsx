/** The names of a test: of what it is part of, the outermost first, and its own. */
import type { VNode } from 'preact'
import { shownText } from './shown-text.ts'

export function Names({ names }: { readonly names: readonly string[] }): VNode {
  return (
    <>
      {names.slice(0, -1).map((name) => (
        <>
          <span class="describe">{shownText(name)}</span>
          <span class="apart"> › </span>
        </>
      ))}
      {shownText(names.at(-1) ?? '')}
    </>
  )
}
