/**
 * What the guest's shell does for QEMU's guest agent.
 *
 * The agent takes a command for ended only when nobody has its output open any more, gathers at most 16 MiB, and does that
 * in pieces of 4 KiB, a turn of its loop each: 20 MB took 10 s on a busy host. So the command writes to files: what it
 * leaves running holds up nothing, and of what is long the agent only gathers the beginning; the rest it reads.
 */
import { KEPT_BYTES } from '../output-buffer.ts'

/** Exit code of {@link RUN_SCRIPT} in place of the command’s, which then did not run. */
export const NO_DIRECTORY = 101

/** So much of an output comes through the agent at once, bytes; where it is as much, there may be more in the file. */
export const GATHERED_BYTES = 65_536

/**
 * `$0` begins the names of the command's files; then command, directory, input. The command is in a session of its own, so
 * that it can be ended with all it started. Short outputs come at once, through the agent.
 */
export const RUN_SCRIPT: string = `: "\${HOME:=/root}";export HOME
cd -- "\${2:-$HOME}" 2>/dev/null||[ -z "$2" ]||exit ${NO_DIRECTORY}
(umask 077;:>"$0.o";:>"$0.e";:>"$0.p")||exit
S=;command -v setsid >/dev/null 2>&1&&S=setsid
$S sh -c 'echo $$>"$0.p";exec sh -c "$1"' "$0" "$1" >"$0.o" 2>"$0.e" <"$3"
echo $?>"$0.s"
if [ -e "$0.k" ];then tail -c ${KEPT_BYTES} "$0.o";tail -c ${KEPT_BYTES} "$0.e" >&2
else [ ! -s "$0.o" ]||dd bs=${GATHERED_BYTES} count=1 <"$0.o" 2>/dev/null
[ ! -s "$0.e" ]||{ dd bs=${GATHERED_BYTES} count=1 <"$0.e" 2>/dev/null;} >&2;fi
read -r s<"$0.s";exit "$s"`

/** Ends that command. `$0` as above, `$1` a signal. */
export const END_SCRIPT: string = `:>"$0.k";read -r p<"$0.p"&&{ kill -"$1" -"$p"||kill -"$1" "$p";} 2>/dev/null`
