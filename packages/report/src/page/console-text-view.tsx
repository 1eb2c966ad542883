/** Shows the console as text, each line with its time. */
import type { VNode } from 'preact'
import { formatBytes, formatText } from './format-text.ts'
import type { MachineFiles } from './machine-files.ts'
import type { PageContext } from './page-context.ts'

/** Lines that are shown even if no space is left in the page. */
const LEAST = 20

/** @param id id of the text */
export function ConsoleText(props: {
  readonly id: string
  readonly machine: MachineFiles
  readonly page: PageContext
}): VNode | null {
  const { id, machine, page } = props
  if (machine.lines.length === 0) return null
  const length = machine.lines.reduce((sum, { text }) => sum + text.length, 0)
  const lines = page.budget.take(length) ? machine.lines : machine.lines.slice(-LEAST)
  const isTimed = lines.some(({ time }) => time !== undefined)
  const shown = lines.map(({ time, text }) => {
    const line = formatText(text).replaceAll('\n', ' ')
    return isTimed ? `${(time?.toFixed(3) ?? '').padStart(9)}  ${line}\n` : `${line}\n`
  })
  return (
    <div class="console-box" id={id}>
      {machine.linesCut > 0 && (
        <p class="note">{formatBytes(machine.linesCut)} of earlier console output: see the files.</p>
      )}
      {/* biome-ignore format: white space would be visible */}
      <pre class="console-text" data-timed={isTimed ? '' : undefined} tabIndex={0} role="group" aria-label={`Console of ${machine.name}`}>{shown.join('')}</pre>
    </div>
  )
}
