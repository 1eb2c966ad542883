/** Device that passes arbitrary arguments to QEMU. */
import { OptionError } from '../errors.ts'
import type { Device } from './device.ts'

/**
 * Passes arguments to QEMU unescaped, one string per argument: `arbitraryArgs('-device', 'edu')`. `-daemonize` is
 * refused at the start of the machine.
 *
 * @throws OptionError `INVALID_OPTION` when an argument is not a string or has a NUL byte, or when the first argument
 * contains both an option and its value
 */
export function arbitraryArgs(...args: readonly string[]): Device {
  for (const argument of args) {
    if (typeof argument !== 'string' || argument.includes('\0')) {
      throw new OptionError('INVALID_OPTION', `arbitraryArgs: ${JSON.stringify(argument)} is not a valid argument`, {
        hint: 'Pass each argument as a separate string without NUL bytes.',
      })
    }
  }
  const [option, value] = args[0]?.split(/ (.*)/s) ?? []
  if (option?.startsWith('-') && value !== undefined) {
    throw new OptionError('INVALID_OPTION', `arbitraryArgs: ${JSON.stringify(args[0])} is an option with its value`, {
      hint: `Pass two strings: arbitraryArgs('${option}', '${value}').`,
    })
  }
  const frozen = Object.freeze([...args])
  return {
    name: 'arbitraryArgs',
    // The arguments may add something to boot, such as a disk or firmware.
    bootable: frozen.some((argument) => BOOT_OPTION.test(argument)) ? true : 'fallback',
    portable: { kind: 'arbitraryArgs', options: { args: frozen } },
    qemuArgs: () => frozen,
  }
}

/** Options of QEMU that are only used to boot. */
const BOOT_OPTION = /^--?(?:kernel|bios|pflash|boot|cdrom|hd[a-d]|fd[ab])$/
