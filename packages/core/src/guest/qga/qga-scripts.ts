/**
 * What the guest's shell does for QEMU's guest agent.
 *
 * The agent takes a command for ended only when nobody has its output open any more, gathers at most 16 MiB, and does that
 * in pieces of 4 KiB, a turn of its loop each: 20 MB took 10 s on a busy host. So the command writes to files, which the
 * agent then reads: what it leaves running holds up nothing. A program started is some 20 ms in a guest without hardware
 * acceleration: there are but two, `setsid` and the shell that runs the command.
 */

/** Printed in place of running the command: its directory cannot be entered. */
export const NO_DIRECTORY = 'no directory'

/**
 * A script that runs a command. Its arguments: what the names of the command's files begin with, in a directory that is
 * made if need be and then is nobody else's; the file for its input; its directory. It prints nothing, unless it fails
 * before the command begins.
 */
export function runScript(command: string): string {
  return `: "\${HOME:=/root}";export HOME
cd -- "\${3:-$HOME}" 2>/dev/null||[ -z "$3" ]||{ echo '${NO_DIRECTORY}';exit 1;}
[ -d "\${1%/*}" ]||(umask 077;mkdir -p "\${1%/*}")||exit 1
exec >"$1.o" 2>"$1.e" <"$2"
shift 3
${command}`
}

/** Makes the directory `$0`, if need be; several do at once. */
export const DIRECTORY_SCRIPT = 'umask 077;[ -d "$0" ]||exec mkdir -p "$0"'

/** Sends the signal `$0` to process `$1`, and where it leads a session to all of that. */
export const END_SCRIPT = 'kill -"$0" -"$1"||kill -"$0" "$1"'
