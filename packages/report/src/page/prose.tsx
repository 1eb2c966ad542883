/** Shows a sentence of an error: text in backticks is code. */
import type { VNode } from 'preact'

/** @param text safe to read, see `formatText` */
export function Prose({ text }: { readonly text: string }): VNode {
  const parts = text.split(/`([^`\n]+)`/)
  return <>{parts.map((part, index) => (index % 2 === 1 ? <code>{part}</code> : part))}</>
}
