/**
 * Ties a child's life to this process, SIGKILL included. QEMU itself does not notice when its parent or its sockets go
 * away, and an exit handler does not run on SIGKILL.
 *
 * On Linux the kernel does it: a signal when the spawning thread ends, which is right for worker threads too. The child asks
 * for it, by `coldboot-tie` of the npm package of QEMU or by `setpriv --pdeathsig KILL` (util-linux). Elsewhere a small shell
 * stays beside QEMU and waits for the end of a pipe whose other end only this process holds. The scripts are constant; the
 * command comes as positional parameters.
 */

/** How a child is tied to this process. */
export const GUARD_KINDS: readonly ['tie', 'pdeathsig', 'pipe'] = ['tie', 'pdeathsig', 'pipe']

/** One of {@link GUARD_KINDS}. */
export type GuardKind = (typeof GUARD_KINDS)[number]

/** Descriptor of the pipe of the `pipe` guard in the child: one digit, as POSIX shells want in redirections. */
export const GUARD_FD = 3

// The parent may have died between fork and prctl, and then no signal ever comes: compare its pid once more.
const CHECK_PARENT = '[ "$PPID" = "$0" ] || exit 125; exec "$@"'

// The reader blocks until the pipe ends, then kills QEMU; when QEMU ends first, the reader is ended and QEMU's status is
// passed on. TERM is passed on to QEMU. QEMU does not get the pipe.
const WAIT_FOR_END_OF_PIPE = [
  '"$@" 3<&- & child=$!',
  'trap \'kill -TERM "$child" 2>/dev/null\' TERM',
  '{ read -r _ <&3; kill -KILL "$child" 2>/dev/null; } & reader=$!',
  // A trapped signal ends `wait` early with a status above 128: wait again for the real one.
  'wait "$child"; status=$?',
  'while kill -0 "$child" 2>/dev/null; do wait "$child"; status=$?; done',
  'kill -KILL "$reader" 2>/dev/null',
  'exit "$status"',
].join('\n')

/** What a guard is made of. */
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
