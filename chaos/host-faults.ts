/** Faults of the host: a connection that ends, a clock that jumps. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Done, type Expectation, type Fault, type FaultContext, type RoundFolders } from './fault.ts'
import { machinesOf } from './processes.ts'

const FINE: Expectation = { run: 'passes', affected: 'none' }

/**
 * Shuts down a socket of another process: pidfd_open (434), pidfd_getfd (438). The numbers are the same on all architectures
 * that QEMU is packaged for.
 */
const SHUT_DOWN = `
my ($pid, $fd) = map { $_ + 0 } @ARGV;
my $process = syscall(434, $pid, 0); $process >= 0 or die "pidfd_open: $!";
my $copy = syscall(438, $process, $fd, 0); $copy >= 0 or die "pidfd_getfd: $!";
open(my $socket, "+<&=", $copy) or die "open: $!";
shutdown($socket, 2) or die "shutdown: $!";
`

/** Faults by name. */
export const HOST_FAULTS = {
  'QMP connection shut down': {
    needsMachine: true,
    missing: withoutPerl,
    act: shutDownQmp,
    expects: { run: 'either', affected: 'test', reasons: [/QMP connection was lost|QEMU did not answer/] },
  },
  'clock 1 day ahead': clock('+86400'),
  'clock 1 hour back': clock('-3600'),
} as const satisfies Record<string, Fault>

function withoutPerl(): string | undefined {
  return existsSync('/usr/bin/perl') ? undefined : 'there is no perl'
}

/** Shuts down the socket of QMP, which QEMU has inherited. */
function shutDownQmp({ mark, event, events }: FaultContext): Done {
  const pid = events().find((one) => one.kind === 'started' && one.test === event.test)?.machine
  const words = machinesOf(mark).find((machine) => machine.pid === pid)?.words ?? []
  const fd = words.map((word) => /^socket,id=qmp,fd=(\d+)/.exec(word)?.[1]).find(Boolean)
  if (pid === undefined || fd === undefined) return 'no victim'
  execFileSync('/usr/bin/perl', ['-e', SHUT_DOWN, String(pid), fd])
  return 'done'
}

/** File with the offset of the clock, which libfaketime reads each second. */
const offsetFile = ({ root }: RoundFolders): string => join(root, 'clock')
const READ_AGAIN_MS = 1_000

/** Changes the clock that the processes of the round see, but not the monotonic one. */
function clock(offset: string): Fault {
  return {
    missing: () => (fakeTime() === undefined ? 'there is no libfaketime (Debian: libfaketime)' : undefined),
    env(folders) {
      writeFileSync(offsetFile(folders), '+0\n')
      return {
        LD_PRELOAD: fakeTime(),
        FAKETIME_TIMESTAMP_FILE: offsetFile(folders),
        FAKETIME_CACHE_DURATION: String(READ_AGAIN_MS / 1_000),
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
        FAKETIME_DISABLE_SHM: '1',
      }
    },
    async act({ folders }): Promise<Done> {
      writeFileSync(offsetFile(folders), `${offset}\n`)
      await delay(READ_AGAIN_MS * 2)
      return 'done'
    },
    expects: FINE,
  }
}

function fakeTime(): string | undefined {
  const folders = existsSync('/usr/lib') ? readdirSync('/usr/lib').filter((name) => name.endsWith('-linux-gnu')) : []
  return folders.map((name) => `/usr/lib/${name}/faketime/libfaketimeMT.so.1`).find(existsSync)
}
