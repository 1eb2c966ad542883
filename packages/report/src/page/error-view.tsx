/** Shows an error: its message, the source line of the test, and the stack. */
import { relative } from 'node:path'
import type { VNode } from 'preact'
import type { ErrorReport, StackFrame } from '../run-report.ts'
import { Block } from './block.tsx'
import { codeFrame } from './code-frame.ts'
import { errorParts } from './error-parts.ts'
import { formatText } from './format-text.ts'

/** @param withMachines whether machines are shown below the error */
export function ErrorView(props: {
  readonly error: ErrorReport
  readonly root: string
  readonly withMachines: boolean
}): VNode {
  const { error, root, withMachines } = props
  const { headline, text, difference, sections } = errorParts(error, withMachines)
  return (
    <div class="error">
      <p class="headline">
        <span class="error-name">{error.name}</span> {headline}
      </p>
      {text && <p class="says">{text}</p>}
      {difference && <Difference diff={difference} />}
      <Frame stack={error.stack} root={root} />
      {sections.map(({ title, body }) => (
        <Block title={title}>{body}</Block>
      ))}
    </div>
  )
}

const DIFFERENCE = { '+': 'added', '-': 'removed' } as const

function Difference({ diff }: { readonly diff: string }): VNode {
  const lines = diff.split('\n').map((line) => {
    const sign = line.charAt(0)
    return <span class={sign === '+' || sign === '-' ? DIFFERENCE[sign] : undefined}>{`${line}\n`}</span>
  })
  return <Block title="Difference">{lines}</Block>
}

function Frame({ stack, root }: { readonly stack: readonly StackFrame[]; readonly root: string }): VNode | null {
  const [place] = stack
  if (!place) return null
  const lines = codeFrame(place)
  return (
    <Block title={placeOf(place, root)} isCode>
      {lines.map(({ number, text, isPlace }) => {
        const line = (
          <>
            <span class="line-number">{`${isPlace ? '❯' : ' '} ${number}`.padStart(7)}</span>
            {`  ${formatText(text)}\n`}
          </>
        )
        return isPlace ? <mark>{line}</mark> : line
      })}
      {stack.length > 1 && stack.slice(1).map((frame) => <span class="frame">{`at ${placeOf(frame, root)}\n`}</span>)}
    </Block>
  )
}

function placeOf({ file, line, column, method }: StackFrame, root: string): string {
  const path = relative(root, file)
  return `${path.startsWith('..') ? file : path}:${line}:${column}${method ? ` in ${method}` : ''}`
}
