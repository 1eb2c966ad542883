/** Describes the command line of a machine without starting the machine. */

import { join } from 'node:path'
import { temporaryDirectory } from '../host/files/temporary-directory.ts'
import { buildCommandLine, quoteCommandLine } from '../qemu/command-line.ts'
import { qemuCommand } from '../qemu/locate.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { type MachineSpec, resolveOptions } from '../spec/machine-spec.ts'

/** Description of a machine. */
export interface MachineDescription {
  readonly spec: MachineSpec
  /**
   * Arguments that start the same machine by hand, with the console on the terminal (Ctrl-A X ends QEMU). Only the
   * connections of the console and of QMP differ from those of a machine in a test.
   */
  readonly commandLine: readonly string[]
  /** `commandLine` as one line for a POSIX shell. */
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

/** Describes a resolved machine. @param directory private directory of the machine */
export function describeSpec(spec: MachineSpec, qemu: readonly string[], directory: string): MachineDescription {
  const sandbox = process.platform === 'linux'
  const { argv } = buildCommandLine({ spec, qemu, directory, wiring: 'standalone', sandbox })
  return Object.freeze({ spec, commandLine: argv, commandLineQuoted: quoteCommandLine(argv) })
}
