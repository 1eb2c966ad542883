/** Advice for commands that fail because the guest is small: it lacks the program, or has no network. */

const PAGE = 'To use a distribution instead, see docs/stock-images.md.'
/** Programs that a distribution has and that are often expected in any Linux. */
const OF_DISTRIBUTIONS =
  /^(?:systemctl|journalctl|service|apt|apt-get|dpkg|dnf|yum|rpm|apk|pacman|zypper|snap|docker|podman|bash|python3?|perl|node|npm|gcc|make|git|curl|ssh|sshd|sudo|jq)$/
/** The message of busybox's shell. Other shells print a line number, or `command not found`. */
const MISSING_IN_BUSYBOX = /^\S*sh: ([\w.+-]+): not found$/m
/** Messages of busybox with glibc and with musl. */
const UNREACHABLE = /: Network (?:is )?unreachable$|: bad address '.+'$/m

/** Returns a hint that is specific to the failure, or undefined. @param stderr the standard error of the command */
export function hintForCommand(exitCode: number, stderr: string | Uint8Array): string | undefined {
  const text = typeof stderr === 'string' ? stderr : new TextDecoder().decode(stderr)
  const missing = exitCode === 127 ? MISSING_IN_BUSYBOX.exec(text)?.[1] : undefined
  if (missing !== undefined && OF_DISTRIBUTIONS.test(missing)) {
    return `The guest has no \`${missing}\` on its PATH. The guest of \`linuxGuest()\` is busybox, without systemd, package manager and network; add programs with its \`files\`. ${PAGE}`
  }
  if (exitCode === 0 || !UNREACHABLE.test(text)) return undefined
  return `A machine has no network unless a device adds one, and the guest of \`linuxGuest()\` configures none: add \`userNetwork({ restrict: false })\` to reach the outside, and configure it in the guest. ${PAGE}`
}
