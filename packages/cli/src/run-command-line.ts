/** Runs a command of the CLI. */
import { createRequire } from 'node:module'
import { ColdbootError } from '@coldboot/core'
import { warnOfUnknownVariables } from '@coldboot/core/internal'
import { type Command, HELP, parseCommand, UsageError } from './arguments.ts'
import { readTemplates, writeTemplates } from './carried.ts'
import { examine, formatFindings } from './doctor.ts'
import { initialize } from './init/init.ts'
import { parseResume, RESUME_HELP, type ResumeCommand, resume } from './resume.ts'
import { listTemplates, pruneTemplates, removeTemplates } from './templates.ts'

/** Output streams of the command. */
export interface Output {
  readonly stdout: { write(text: string): unknown }
  readonly stderr: { write(text: string): unknown }
}

const FAILED = 1
const WRONG_USAGE = 2

/** Returns the exit code: 0 for success; 1 for a failure, or a host that lacks a requirement; 2 for invalid arguments. */
export async function runCommandLine(args: readonly string[], { stdout, stderr }: Output): Promise<number> {
  try {
    const command = args[0] === 'resume' && !args.includes('--help') ? parseResume(args.slice(1)) : parseCommand(args)
    const { text, isWell } = await run(command, (said) => stderr.write(said))
    if (text !== '') stdout.write(`${text}\n`)
    return isWell ? 0 : FAILED
  } catch (error) {
    if (error instanceof UsageError) {
      // Without arguments, prints the list of commands.
      const help =
        args.length === 0 ? `\n${helpText()}` : 'Run `coldboot --help` to see the commands and their options.'
      stderr.write(`coldboot: ${error.message}\n${help}\n`)
      return WRONG_USAGE
    }
    if (!ColdbootError.is(error)) throw error
    stderr.write(`coldboot: ${error.message} [${error.code}]\n`)
    return FAILED
  }
}

async function run(
  command: Command | ResumeCommand,
  say: (text: string) => void,
): Promise<{ readonly text: string; readonly isWell: boolean }> {
  switch (command.kind) {
    case 'help':
      return well(helpText())
    case 'version':
      return well(version())
    case 'init':
      return well(initialize(process.cwd(), command.options))
    case 'doctor': {
      const findings = await examine(command.arch)
      const isWell = findings.every(({ state }) => state !== 'missing')
      await warnOfUnknownVariables()
      return { text: command.json ? JSON.stringify({ isWell, findings }, null, 2) : formatFindings(findings), isWell }
    }
    case 'list':
      return well(await listTemplates())
    case 'prune':
      return well(await pruneTemplates(command.limits))
    case 'resume':
      return resume(command, say)
    case 'export':
      return well(await writeTemplates(command.keys))
    case 'import':
      return well(await readTemplates())
    case 'remove':
      return well(await removeTemplates(command.keys))
  }
}

function helpText(): string {
  return HELP.replace('  templates   ', `${RESUME_HELP}\n  templates   `)
}

function well(text: string): { readonly text: string; readonly isWell: true } {
  return { text, isWell: true }
}

function version(): string {
  const manifest = createRequire(import.meta.url)('../package.json') as { readonly version: string }
  return manifest.version
}
