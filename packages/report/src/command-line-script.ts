/** Content of `command-line.sh`, which starts the same machine by hand. */
import type { ObservedMachine } from '@coldboot/core'

/** A script for a POSIX shell. */
export function commandLineScript({ name, commandLineQuoted }: ObservedMachine): string {
  return `#!/bin/sh
# Starts the machine "${name}" again, with its console on this terminal. Ctrl-A X ends it.
# Networks between machines are not connected, and files that coldboot created for its devices are missing.
exec ${commandLineQuoted}
`
}
