/** A button that copies a text. */
import type { VNode } from 'preact'

/** @param text the text to copy; without it, that of the element with the id `from` */
export function CopyButton(props: {
  readonly label: string
  readonly text?: string
  readonly from?: string
  readonly shortcut?: string
}): VNode {
  const { label, text, from, shortcut } = props
  return (
    <button type="button" class="copy" data-copy={text} data-copy-from={from} data-shortcut={shortcut}>
      {label}
    </button>
  )
}
