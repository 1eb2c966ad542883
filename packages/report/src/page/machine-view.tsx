/** Shows a machine: its facts, its replay beside its steps, pictures, commands and files. */
import { join } from 'node:path'
import type { VNode } from 'preact'
import { MACHINE_FILE, resumeCommand } from '../resume-command.ts'
import { CopyButton } from './copy-button.tsx'
import { formatBytes, formatText } from './format-text.ts'
import type { MachineFiles } from './machine-files.ts'
import type { PageContext } from './page-context.ts'
import { QmpView } from './qmp-view.tsx'
import { workbenchOf } from './workbench.ts'
import { WorkbenchView } from './workbench-view.tsx'

export function MachineView({ machine, page }: { readonly machine: MachineFiles; readonly page: PageContext }): VNode {
  const { commandLine, directory, facts, files } = machine
  const work = workbenchOf(machine)
  const isSaved = files.some(({ name }) => name === MACHINE_FILE)
  return (
    <div class="machine">
      <h4>
        <span class="noun">Machine</span> {formatText(machine.name)}
      </h4>
      {facts.length > 0 && (
        <dl class="facts">
          {facts.map(([title, value]) => (
            <div>
              <dt>{title}</dt>
              <dd>{formatText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      <WorkbenchView machine={machine} work={work} page={page} />
      {work.pictures.map(({ name, png }) => (
        <Picture name={name} png={png} page={page} />
      ))}
      {isSaved && (
        <Command
          id={page.nextId('resume')}
          title="Resume the machine as it was when the test failed"
          text={resumeCommand(join(directory, MACHINE_FILE), page.root)}
          isOpen
        />
      )}
      {commandLine && (
        <Command
          id={page.nextId('command')}
          title="Command line that starts the same machine"
          text={commandLine.trim()}
        />
      )}
      <QmpView qmp={machine.qmp} page={page} />
      <Files machine={machine} page={page} />
    </div>
  )
}

function Picture(props: { readonly name: string; readonly png: Buffer; readonly page: PageContext }): VNode | null {
  const { name, png, page } = props
  const data = png.toString('base64')
  if (!page.budget.take(data.length)) return null
  return (
    <figure class="screen">
      <figcaption>{formatText(name)}</figcaption>
      <img src={`data:image/png;base64,${data}`} alt={pictured(name)} loading="lazy" />
    </figure>
  )
}

function pictured(name: string): string {
  if (name.endsWith('.expected.png')) return 'Expected screenshot'
  if (name.endsWith('.actual.png')) return 'Actual screenshot'
  return 'Pale expected screenshot with different pixels in red'
}

/** A command that can be copied. A long one is folded. */
function Command(props: {
  readonly id: string
  readonly title: string
  readonly text: string
  readonly isOpen?: boolean
}): VNode {
  const { id, title, text, isOpen = false } = props
  return (
    <div class="command">
      <CopyButton label="Copy" from={id} />
      <details class="more" open={isOpen}>
        <summary>{title}</summary>
        <pre id={id} class="command-line" tabIndex={0} role="group" aria-label={title}>
          {formatText(text)}
        </pre>
      </details>
    </div>
  )
}

function Files({ machine, page }: { readonly machine: MachineFiles; readonly page: PageContext }): VNode | null {
  if (machine.files.length === 0) return null
  const folder = page.href(machine.directory)
  return (
    <details class="more files">
      <summary>Files ({machine.files.length})</summary>
      <p class="note">
        Beside this page, in <a href={`${folder}/`}>{formatText(decodeURIComponent(folder))}</a>
      </p>
      {machine.cut.map(([file, why]) => (
        <p class="note">
          {formatText(file)}: {formatText(why)}
        </p>
      ))}
      <ul>
        {machine.files.map(({ name, bytes }) => (
          <li>
            <a href={`${folder}/${encodeURIComponent(name)}`}>{formatText(name)}</a>{' '}
            <span class="note">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
