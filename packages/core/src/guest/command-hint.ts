/** Hints for commands that a signal ended, or that failed because the guest lacks a program or the network. */

const PAGE = 'To use a distribution instead, see docs/stock-images.md.'
/** Programs that are often expected in any Linux, but are only in distributions. */
const OF_DISTRIBUTIONS =
  /^(?:systemctl|journalctl|service|apt|apt-get|dpkg|dnf|yum|rpm|apk|pacman|zypper|snap|docker|podman|bash|python3?|perl|node|npm|gcc|make|git|curl|ssh|sshd|sudo|jq)$/
/**
 * Message of the busybox shell for a missing program. dash also prints a line number, and bash prints
 * `command not found`.
 */
const MISSING_IN_BUSYBOX = /^\S*sh: ([\w.+/-]+): not found$/m
const MISSING = /^\S*sh: (?:line )?\d+: ([\w.+/-]+): (?:command )?not found$/m
/** Message for a file that is not executable, or that is for another architecture. */
const NOT_EXECUTABLE = /^\S*sh: (?:line \d+: |\d+: )?([\w.+/-]+): (?:cannot execute: )?Permission denied$/im
const OTHER_FORMAT = /exec format error/i
/** Messages of busybox for a missing network, with glibc and with musl. */
const UNREACHABLE = /: Network (?:is )?unreachable$|: bad address '.+'$/m

/** Signals that often end a program, by their numbers on Linux. A shell exits with 128 plus the number. */
const SIGNALS: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
}

/** Returns a hint that is specific to the failure, or undefined. @param stderr the standard error of the command */
export function hintForCommand(exitCode: number, stderr: string | Uint8Array): string | undefined {
  const text = typeof stderr === 'string' ? stderr : new TextDecoder().decode(stderr)
  if (exitCode === 127) return hintForMissing(text)
  if (exitCode === 126) return hintForUnexecuted(text)
  const signal = SIGNALS[exitCode - 128]
  if (signal !== undefined) return `Exit code ${exitCode} usually means that the signal ${signal} ended the command.`
  if (exitCode === 0 || !UNREACHABLE.test(text)) return undefined
  return `A machine has no network unless a device adds one, and the guest of \`linuxGuest()\` configures none: add \`userNetwork({ restrict: false })\` to reach the outside, and configure it in the guest. ${PAGE}`
}

/** Hint for exit code 127: the shell has not found the program. */
function hintForMissing(stderr: string): string | undefined {
  const inBusybox = MISSING_IN_BUSYBOX.exec(stderr)?.[1]
  const missing = inBusybox ?? MISSING.exec(stderr)?.[1]
  if (missing === undefined) return undefined
  if (missing.includes('/')) {
    return `The guest has no file \`${missing}\`, or it lacks the dynamic loader or the interpreter of the file. Link a program for the guest of \`linuxGuest()\` statically.`
  }
  const what = `The guest has no \`${missing}\` on its PATH.`
  if (inBusybox === undefined) return `${what} Install it when the image is made, or in \`prepare\`.`
  if (OF_DISTRIBUTIONS.test(missing)) {
    return `${what} The guest of \`linuxGuest()\` is busybox, without systemd, package manager and network; add programs with its \`files\`. ${PAGE}`
  }
  return `${what} \`busybox --list\` prints the programs of the guest of \`linuxGuest()\`; add others, linked statically, with its \`files\`. ${PAGE}`
}

/** Hint for exit code 126: the shell cannot execute the file. */
function hintForUnexecuted(stderr: string): string | undefined {
  if (OTHER_FORMAT.test(stderr))
    return 'The program is for another architecture than the guest. Build it for the guest.'
  const file = NOT_EXECUTABLE.exec(stderr)?.[1]
  if (file === undefined) return undefined
  return `\`${file}\` is not executable in the guest. Give it the mode 0o755, for example \`writeFile(path, data, { mode: 0o755 })\`.`
}
