/**
 * Ends a child when this process ends, even by SIGKILL. QEMU does not notice the end of its parent or its sockets, and
 * exit handlers do not run on SIGKILL.
 *
 * On Linux, the kernel can send a signal to the child when the spawning thread ends, which also works for worker
 * threads. The child requests it with `coldboot-tie` from the npm package of QEMU, or with `setpriv --pdeathsig KILL`
 * (util-linux). On other systems, a small shell runs beside QEMU and waits for the end of a pipe whose other end is
 * only in this process. The scripts are constant; the command is passed as positional parameters.
 */

/** The guards that end a child with this process. */
export const GUARD_KINDS: readonly ['tie', 'pdeathsig', 'pipe'] = ['tie', 'pdeathsig', 'pipe']

/** One of {@link GUARD_KINDS}. */
export type GuardKind = (typeof GUARD_KINDS)[number]

/** Descriptor of the pipe of the `pipe` guard in the child. One digit, because POSIX redirections require it. */
export const GUARD_FD = 3

// If the parent died before the child requested the signal, none is sent, so the child compares the pid of its parent.
const CHECK_PARENT = '[ "$PPID" = "$0" ] || exit 125; exec "$@"'

// A reader blocks until the pipe ends, then kills QEMU. If QEMU ends first, the reader is killed and the status of
// QEMU is returned. TERM is forwarded to QEMU. QEMU does not inherit the pipe.
const WAIT_FOR_END_OF_PIPE = [
  '"$@" 3<&- & child=$!',
  'trap \'kill -TERM "$child" 2>/dev/null\' TERM',
  '{ read -r _ <&3; kill -KILL "$child" 2>/dev/null; } & reader=$!',
  // A trapped signal ends `wait` early with a status above 128, so `wait` is called again.
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
