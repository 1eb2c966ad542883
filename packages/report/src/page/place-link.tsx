/** Shows a position in a source file: a link to the editor, and a button that copies the position. */
import { isAbsolute, relative } from 'node:path'
import type { VNode } from 'preact'
import type { StackFrame } from '../run-report.ts'
import { CopyButton } from './copy-button.tsx'
import { linkTo } from './editor-link.ts'
import { formatText } from './format-text.ts'
import type { PageContext } from './page-context.ts'

/** @param isCopied whether to show the copy button */
export function PlaceLink(props: {
  readonly place: StackFrame
  readonly page: PageContext
  readonly isCopied?: boolean
}): VNode {
  const { place, page, isCopied = false } = props
  const { file, line, column, method } = place
  const path = pathFrom(page.root, file)
  const shown = formatText(`${path}:${line}:${column}`)
  return (
    <span class="place">
      {page.editor !== undefined && isAbsolute(file) ? (
        <a class="editor" href={linkTo(page.editor, file, line, column)} title="Open in the editor">
          {shown}
        </a>
      ) : (
        shown
      )}
      {method && ` in ${formatText(method)}`}
      {isCopied && <CopyButton label="Copy path" text={`${path}:${line}`} />}
    </span>
  )
}

/** Parses a position of the form `file:line:column`. */
export function placeOf(location: string): StackFrame | undefined {
  const [, file, line, column] = /^(.+):(\d+):(\d+)$/s.exec(location) ?? []
  return file === undefined ? undefined : { file, line: Number(line), column: Number(column) }
}

/** Path of a file relative to `root`, or the absolute path of a file outside of `root`. */
function pathFrom(root: string, file: string): string {
  const path = relative(root, file)
  return path.startsWith('..') ? file : path
}
