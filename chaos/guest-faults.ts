/** Faults inside of the guest: it panics, ends, or floods its console. */
import type { Expectation, Fault, GuestCommand } from './fault.ts'

const PANIC: Expectation = {
  run: 'fails',
  affected: 'test',
  reasons: [/GUEST_PANICKED.*panicked.*sysrq triggered crash/s],
}
const ended = (reason: RegExp): Expectation => ({ run: 'fails', affected: 'test', reasons: [reason] })

/** Bytes of base64 text in a block of the flood, and of its source. */
const BLOCK_BYTES = 65_536
const SOURCE_BYTES = (BLOCK_BYTES / 4) * 3

/** Makes the terminal change no bytes. Its echo of a later, long command could come after the output of the command. */
const PLAIN_TERMINAL = 'stty -opost -echo; echo plain-$((0))'

/** Prints a random block repeatedly, each time after its number, between two marks, and then the SHA-256 of all of it. */
function flood(bytes: number): string {
  const blocks = blocksOf(bytes)
  return [
    `head -c ${SOURCE_BYTES} /dev/urandom | base64 -w 0 >/tmp/block`,
    `echo flood-$((0))`,
    `i=0; while [ $i -lt ${blocks} ]; do i=$((i + 1)); echo "block $i"; cat /tmp/block; done | tee /dev/tty | sha256sum >/tmp/sum`,
    'echo; stty opost echo; echo "flood-end $(cat /tmp/sum)"',
  ].join('; ')
}

const blocksOf = (bytes: number): number => Math.max(1, Math.round(bytes / BLOCK_BYTES))

/** Faults by name. */
export const GUEST_FAULTS = {
  panic: typed('echo c >/proc/sysrq-trigger', PANIC),
  'power off': typed('poweroff -f', ended(/EXPECT_EXITED.*(?:powered off|shut down|shutdown)/s)),
  reboot: typed('reboot -f', ended(/EXPECT_EXITED.*rebooted/s)),
  'flood console': {
    needsMachine: true,
    act: ({ event, floodBytes }): GuestCommand => ({
      victim: event.test,
      first: { command: PLAIN_TERMINAL, until: 'plain-0\n' },
      command: flood(floodBytes),
      until: 'flood-end ([0-9a-f]{64})',
      bytes: blocksOf(floodBytes) * BLOCK_BYTES,
    }),
    expects: { run: 'passes', affected: 'none' },
  },
} as const satisfies Record<string, Fault>

function typed(command: string, expects: Expectation): Fault {
  return { needsMachine: true, act: ({ event }) => ({ victim: event.test, command }), expects }
}
