/** `coldboot resume`: a saved machine, with its console on the terminal. */
import { parseArgs } from 'node:util'
import { type ResumeOptions, VM } from '@coldboot/core'
import { UsageError } from './arguments.ts'

/** The lines of `--help`. */
export const RESUME_HELP = `  resume FILE              the machine that a failed test left, its console on this
                           terminal; Ctrl-] ends it
         [--run COMMAND]   runs a command in it instead, and ends it
         [--gdb]           stops it until gdb, connected as shown, lets it go on
         [--file OLD=NEW]  where a disk or a shared directory of it is on this host
         [--allow-network] lets a network of it lead out again
         [--allow-arguments]
                           passes on the arguments for QEMU that it was started with`

/** What the command is to do. */
export interface ResumeCommand {
  readonly kind: 'resume'
  readonly file: string
  /** A command to run in the guest; undefined: the console is shown. */
  readonly run: string | undefined
  readonly options: ResumeOptions
}

/** @param args those after `resume` @throws UsageError */
export function parseResume(args: readonly string[]): ResumeCommand {
  const { values, positionals } = parsed(args)
  const [file, ...rest] = positionals
  if (file === undefined || rest.length > 0) throw new UsageError('`resume` takes one file, a `machine.coldboot`')
  if (values.run !== undefined && values.gdb === true) throw new UsageError('`--run` and `--gdb` exclude each other')
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

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        run: { type: 'string' },
        gdb: { type: 'boolean' },
        file: { type: 'string', multiple: true },
        'allow-network': { type: 'boolean' },
        'allow-arguments': { type: 'boolean' },
      },
    })
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error))
  }
}

function placeOf(text: string): readonly [string, string] {
  const [before, after] = text.split(/=(.*)/s)
  if (before && after) return [before, after]
  throw new UsageError(`\`--file\` is a pair OLD=NEW, and not \`${text}\``)
}

/** Resumes the machine. @returns the output of a command, and whether it succeeded */
export async function resume(
  { file, run, options }: ResumeCommand,
  say: (text: string) => void,
): Promise<{ readonly text: string; readonly isWell: boolean }> {
  await using vm = await VM.resume(file, options)
  if (run !== undefined) {
    const { stdout, stderr, exitCode } = await vm.run(run, { check: false })
    return { text: `${stdout}${stderr}`.replace(/\n$/, ''), isWell: exitCode === 0 }
  }
  if (vm.gdbSocket !== undefined) say(`Connect: gdb -ex 'target remote ${vm.gdbSocket}'\n`)
  await vm.debug({ message: `${file}: the machine as it was saved` })
  return { text: `The machine has ended. ${file} is unchanged.`, isWell: true }
}
