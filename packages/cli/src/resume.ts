/** `coldboot resume`: resumes a saved machine, and connects its console to the terminal. */
import { parseArgs } from 'node:util'
import { type ResumeOptions, VM } from '@coldboot/core'
import { UsageError, usageErrorOf } from './arguments.ts'

/** Lines of `--help`. */
export const RESUME_HELP = `  resume FILE              resumes a saved machine, for example that of a failed test, with its
                           console on this terminal; Ctrl-] ends the machine
         [--run COMMAND]   runs a command in the guest instead, prints its output, and
                           ends the machine
         [--gdb]           keeps the guest stopped until gdb connects and continues it
         [--file OLD=NEW]  uses NEW for the disk or shared directory OLD; can be repeated
         [--allow-network] restores the access of a \`userNetwork\` with \`restrict: false\`
                           to the outside
         [--allow-arguments]
                           passes on the QEMU arguments that the machine was started with`

/** A parsed command. */
export interface ResumeCommand {
  readonly kind: 'resume'
  readonly file: string
  /** Command to run in the guest; undefined to show the console. */
  readonly run: string | undefined
  readonly options: ResumeOptions
}

/**
 * Parses the arguments after `resume`.
 * @throws UsageError
 */
export function parseResume(args: readonly string[]): ResumeCommand {
  const { values, positionals } = parsed(args)
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) throw new UsageError('`resume` needs one file, such as `machine.coldboot`')
  if (values.run !== undefined && values.gdb === true)
    throw new UsageError('`--run` and `--gdb` cannot be used together')
  return {
    kind: 'resume',
    file,
    run: values.run,
    options: {
      files: Object.fromEntries((values.file ?? []).map(placeOf)),
      allowNetwork: values['allow-network'] ?? false,
      allowArguments: values['allow-arguments'] ?? false,
      gdb: values.gdb ?? false,
    },
  }
}

const OPTIONS = {
  run: { type: 'string' },
  gdb: { type: 'boolean' },
  file: { type: 'string', multiple: true },
  'allow-network': { type: 'boolean' },
  'allow-arguments': { type: 'boolean' },
} as const

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: OPTIONS,
    })
  } catch (error) {
    throw usageErrorOf(error, Object.keys(OPTIONS))
  }
}

function placeOf(text: string): readonly [string, string] {
  const [before, after] = text.split(/=(.*)/s)
  if (before && after) return [before, after]
  throw new UsageError(`\`--file\` needs a value such as OLD=NEW, not \`${text}\``)
}

/**
 * Resumes the machine.
 * @returns the text to print, and whether the guest's command succeeded
 */
export async function resume(
  { file, run, options }: ResumeCommand,
  say: (text: string) => void,
): Promise<{ readonly text: string; readonly isWell: boolean }> {
  await using vm = await VM.resume(file, options)
  if (run !== undefined) {
    const { stdout, stderr, exitCode } = await vm.run(run, { check: false })
    return { text: `${stdout}${stderr}`.replace(/\n$/, ''), isWell: exitCode === 0 }
  }
  if (vm.gdb !== undefined) say(`The guest is stopped. Connect with: ${vm.gdb}\n`)
  await vm.debug({ message: `The machine saved in ${file}`, leaveHint: 'Press Ctrl-] to end the machine.' })
  return { text: `The machine has ended. ${file} was not changed.`, isWell: true }
}
