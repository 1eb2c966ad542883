/**
 * Ends a child when this process ends, even by SIGKILL. QEMU does not notice the end of its parent or its sockets, and
 * exit handlers do not run on SIGKILL.
 *
 * On Linux the kernel sends a signal when the spawning thread ends, which is correct for worker threads too. The child
 * requests it with `coldboot-tie` of the npm package of QEMU, or with `setpriv --pdeathsig KILL` (util-linux). On other
 * systems a small shell runs beside QEMU and waits for the end of a pipe whose other end only this process has. The
 * scripts are constant; the command is passed as positional parameters.
 */

/** The guards that end a child with this process. */
export const GUARD_KINDS: readonly ['tie', 'pdeathsig', 'pipe'] = ['tie', 'pdeathsig', 'pipe']

/** One of {@link GUARD_KINDS}. */
export type GuardKind = (typeof GUARD_KINDS)[number]

/** Descriptor of the pipe of the `pipe` guard in the child. One digit, as POSIX shells require in redirections. */
export const GUARD_FD = 3

// If the parent died between fork and prctl, no signal is sent, so its pid is compared again.
const CHECK_PARENT = '[ "$PPID" = "$0" ] || exit 125; exec "$@"'

// The reader blocks until the pipe ends, then kills QEMU. If QEMU ends first, the reader is killed and the status of
// QEMU is returned. TERM is forwarded to QEMU. QEMU does not inherit the pipe.
const WAIT_FOR_END_OF_PIPE = [
  '"$@" 3<&- & child=$!',
  'trap \'kill -TERM "$child" 2>/dev/null\' TERM',
  '{ read -r _ <&3; kill -KILL "$child" 2>/dev/null; } & reader=$!',
  // A trapped signal ends `wait` early with a status above 128, so it waits again.
  'wait "$child"; status=$?',
  'while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done',
  'kill -KILL "$reader" 2>/dev/null',
  'exit "$status"',
].join('\n')

/** Input of {@link guardedCommand}. */
export interface GuardInput {
  readonly argv: readonly string[]
  readonly parentPid: number
  /** Path of `coldboot-tie`, for the guard `tie`. */
  readonly tie: string | undefined
}

/** The command that starts `argv` under a guard. */
export function guardedCommand(kind: GuardKind, { argv, parentPid, tie }: GuardInput): readonly string[] {
  const pid = String(parentPid)
  switch (kind) {
    case 'tie':
      return [tie ?? 'coldboot-tie', pid, ...argv]
    case 'pdeathsig':
      return ['setpriv', '--pdeathsig', 'KILL', '--', 'sh', '-c', CHECK_PARENT, pid, ...argv]
    case 'pipe':
      return ['sh', '-c', WAIT_FOR_END_OF_PIPE, 'coldboot-guard', ...argv]
  }
}
