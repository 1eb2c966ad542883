/** Shortens the command line of a machine for an error message. */
import { basename } from 'node:path'
import { quote } from 'shlex'

/** Options that are shown. Paths in their values are shown without folders. */
const SHOWN: ReadonlySet<string> = new Set(['-name', '-machine', '-m', '-bios', '-kernel', '-initrd', '-append'])
/** Longest value, characters. A longer one is truncated. */
const LONGEST_VALUE = 72

/**
 * Formats the most informative options, with `…` for all others.
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
