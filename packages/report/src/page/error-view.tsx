/** Shows an error: its message, the source line of the test, and the stack. */
import type { VNode } from 'preact'
import type { ErrorReport, StackFrame } from '../run-report.ts'
import { Block } from './block.tsx'
import { codeFrame } from './code-frame.ts'
import { errorParts } from './error-parts.ts'
import { formatText } from './format-text.ts'
import type { PageContext } from './page-context.ts'
import { PlaceLink } from './place-link.tsx'
import { Prose } from './prose.tsx'
import type { SectionUse } from './section-use.ts'

/** @param useOf returns how to show the section with a title */
export function ErrorView(props: {
  readonly error: ErrorReport
  readonly page: PageContext
  readonly useOf?: (title: string) => SectionUse
}): VNode {
  const { error, page, useOf = () => 'shown' } = props
  const { headline, text, difference, sections } = errorParts(error)
  return (
    <div class="error">
      <p class="headline">
        <span class="error-name">{formatText(error.name)}</span> <Prose text={headline} />
      </p>
      {text && (
        <p class="says">
          <Prose text={text} />
        </p>
      )}
      {difference && <Difference diff={difference} />}
      <Frame stack={error.stack} page={page} />
      {sections.map(({ title, body }) => (
        <Part title={title} body={body} use={useOf(title)} />
      ))}
    </div>
  )
}

function Part(props: { readonly title: string; readonly body: string; readonly use: SectionUse }): VNode | null {
  const { title, body, use } = props
  if (use === 'left out') return null
  if (use === 'shown') return <Block title={title}>{body}</Block>
  return (
    <details class="block">
      <summary>{title}</summary>
      <pre tabIndex={0} role="group" aria-label={title}>
        {body}
      </pre>
    </details>
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

function Frame({ stack, page }: { readonly stack: readonly StackFrame[]; readonly page: PageContext }): VNode | null {
  const [place, ...callers] = stack
  if (!place) return null
  const lines = codeFrame(place)
  return (
    <figure class="block code">
      <figcaption>
        <PlaceLink place={place} page={page} isCopied />
      </figcaption>
      {/* biome-ignore format: white space would be visible */}
      {lines.length > 0 && (
        <pre tabIndex={0} role="group" aria-label="Source of the test">
          {lines.map(({ number, text, isPlace }) => {
            const line = (
              <>
                <span class="line-number">{`${isPlace ? '❯' : ' '} ${number}`.padStart(7)}</span>
                {`  ${formatText(text)}\n`}
              </>
            )
            return isPlace ? <mark>{line}</mark> : line
          })}
        </pre>
      )}
      {callers.length > 0 && (
        <ul class="callers">
          {callers.map((caller) => (
            <li>
              called at <PlaceLink place={caller} page={page} />
            </li>
          ))}
        </ul>
      )}
    </figure>
  )
}
