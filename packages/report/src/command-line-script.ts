/** `command-line.sh`: the same machine, by hand. */
import type { ObservedMachine } from '@coldboot/core'

/** A script for a POSIX shell. */
export function commandLineScript({ name, commandLineQuoted }: ObservedMachine): string {
  return `#!/bin/sh
# Starts the machine "${name}" once more, with its console on this terminal. Ctrl-A X ends it.
# Networks between machines are unplugged, and files that coldboot made for its devices are gone.
exec ${commandLineQuoted}
`
}
