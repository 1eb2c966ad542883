/** A machine's command line without starting it. */

import { join } from 'node:path'
import { temporaryDirectory } from '../host/temporary-directory.ts'
import { buildCommandLine, quoteCommandLine } from '../qemu/command-line.ts'
import { qemuCommand } from '../qemu/locate.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'

/** What a machine will be. */
export interface MachineDescription {
  readonly spec: MachineSpec
  /**
   * Arguments that start the same machine from a person's shell: the console is on the terminal (Ctrl-A X ends QEMU).
   * The machine this project starts differs from it only in where console and control channel are connected.
   */
  readonly commandLine: readonly string[]
  /** The same as one line for a POSIX shell. */
  readonly commandLineQuoted: string
}

/**
 * Describes a machine without starting anything.
 * @throws OptionError as `VM.start` does
 */
export function describeMachine(options: MachineOptions): MachineDescription {
  const spec = resolveOptions(options)
  return describeSpec(spec, qemuCommand(spec.arch, spec.qemu), join(temporaryDirectory(), `coldboot-${spec.name}`))
}

/** @param directory where the machine's own files are */
export function describeSpec(spec: MachineSpec, qemu: readonly string[], directory: string): MachineDescription {
  const sandbox = process.platform === 'linux'
  const { argv } = buildCommandLine({ spec, qemu, directory, wiring: 'standalone', sandbox })
  return Object.freeze({ spec, commandLine: argv, commandLineQuoted: quoteCommandLine(argv) })
}
