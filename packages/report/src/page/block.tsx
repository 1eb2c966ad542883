/** A titled block of preformatted text that can be scrolled by keyboard. */
import type { ComponentChildren, VNode } from 'preact'

/** @param isCode whether long lines scroll instead of wrapping */
export function Block(props: {
  readonly title: string
  readonly isCode?: boolean
  readonly children: ComponentChildren
}): VNode {
  const { title, isCode = false, children } = props
  return (
    <figure class={isCode ? 'block code' : 'block'}>
      <figcaption>{title}</figcaption>
      {/* biome-ignore format: white space would be visible */}
      <pre tabIndex={0} role="group" aria-label={title}>{children}</pre>
    </figure>
  )
}
