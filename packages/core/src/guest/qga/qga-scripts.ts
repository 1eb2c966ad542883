/**
 * Shell scripts for QEMU's guest agent.
 *
 * The agent itself would capture at most 16 MiB of output, in chunks of 4 KiB (20 MB took 10 s on a busy host), and
 * report the end of a command only after all processes have closed its output. Therefore commands write to files, which
 * the agent reads afterwards, and background processes do not delay the result. Without hardware acceleration, the
 * start of a program takes about 20 ms, so only two are started: `setsid` and the shell that runs the command.
 */

/** Printed instead of running the command if its directory cannot be entered. */
export const NO_DIRECTORY = 'no directory'

/**
 * Script that runs a command. Arguments: the path prefix for the output files, in a private directory that the script
 * creates if needed; the input file; the working directory. The script prints only if it fails before the command
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

/** Sends the signal `$0` to the process group `$1`, or to the process `$1` if there is no such group. */
export const END_SCRIPT = 'kill -"$0" -"$1"||kill -"$0" "$1"'
