/** A titled piece of preformatted text, which one can scroll by keyboard too. */
import type { ComponentChildren, VNode } from 'preact'

/** @param isCode whether long lines are to be scrolled to instead of broken */
export function Block(props: {
  readonly title: string
  readonly isCode?: boolean
  readonly children: ComponentChildren
}): VNode {
  const { title, isCode = false, children } = props
  return (
    <figure class={isCode ? 'block code' : 'block'}>
      <figcaption>{title}</figcaption>
      {/* biome-ignore format: a blank would be shown */}
      <pre tabIndex={0} role="group" aria-label={title}>{children}</pre>
    </figure>
  )
}
