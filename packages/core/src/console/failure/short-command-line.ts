/** A machine's command line for an error message: short enough that it does not hide the console above it. */
import { basename } from 'node:path'
import { quote } from 'shlex'

/** Options that tell most about a machine. Their values may be paths, which are shown without their folders. */
const SHOWN: ReadonlySet<string> = new Set(['-name', '-machine', '-m', '-bios', '-kernel', '-initrd', '-append'])
/** Longer values are cut. Characters. */
const LONGEST_VALUE = 72

/**
 * Formats the options that tell most, with `…` for all others.
 * @example shortCommandLine(vm.commandLine) // qemu-system-x86_64 … -m 256M … -kernel vmlinux -append 'console=ttyS0' …
 */
export function shortCommandLine(argv: readonly string[]): string {
  const program = argv.find((word) => /(?:^|\/)qemu[^/]*$/.test(word)) ?? argv[0] ?? ''
  const words = [basename(program)]
  const omit = (): void => {
    if (words.at(-1) !== '…') words.push('…')
  }
  for (let index = argv.indexOf(program) + 1; index < argv.length; index++) {
    const [option = '', value] = argv.slice(index, index + 2)
    if (value === undefined || !SHOWN.has(option)) {
      omit()
      continue
    }
    words.push(option, shownValue(value))
    index++
  }
  return words.join(' ')
}

function shownValue(value: string): string {
  const text = value.startsWith('/') ? basename(value) : value
  return quote(text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text)
}
