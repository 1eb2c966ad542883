/**
 * Shell scripts for QEMU's guest agent.
 *
 * For the agent, a command ends only when all processes have closed its output. It captures at most 16 MiB, in chunks
 * of 4 KiB: 20 MB took 10 s on a busy host. So commands write to files, which the agent then reads, and background
 * processes do not delay the result. A start of a program takes about 20 ms without hardware acceleration, so there are
 * only two: `setsid` and the shell that runs the command.
 */

/** Printed instead of running the command if its directory cannot be entered. */
export const NO_DIRECTORY = 'no directory'

/**
 * Script that runs a command. Its arguments are the path prefix of the command's files, in a private directory that is
 * created if needed; the file for its input; its working directory. It prints only if it fails before the command
 * starts.
 */
export function runScript(command: string): string {
  return `: "\${HOME:=/root}";export HOME
cd -- "\${3:-$HOME}" 2>/dev/null||[ -z "$3" ]||{ echo '${NO_DIRECTORY}';exit 1;}
[ -d "\${1%/*}" ]||(umask 077;mkdir -p "\${1%/*}")||exit 1
exec >"$1.o" 2>"$1.e" <"$2"
shift 3
${command}`
}

/** Creates the directory `$0` if it does not exist. May run concurrently. */
export const DIRECTORY_SCRIPT = 'umask 077;[ -d "$0" ]||exec mkdir -p "$0"'

/** Sends the signal `$0` to the process group `$1`, or else to the process. */
export const END_SCRIPT = 'kill -"$0" -"$1"||kill -"$0" "$1"'
