/** A sample run with every kind of content that a page can show. */
import { type GuestTestRecord, type RunReport, rerunCommand } from '@coldboot/report'
import {
  castOf,
  jsonLines,
  type SampleProject,
  sampleAttempt,
  samplePicture,
  sampleRun,
  sampleTest,
} from './sample-run.ts'

const SOURCE = `import { expect, test } from '@coldboot/vitest'

test('adds two numbers', async ({ vm }) => {
  vm.send('echo sum-$((40 + 2))\\n')
  await expect(vm).toEventuallyPrint('sum-43', { timeout: 3_000 })
})
`

const MESSAGE = `expect(vm).toEventuallyPrint("sum-43")

"vm" did not print "sum-43" within 3.0 s: last byte 2.9 s ago, 222 bytes since the start, 38 characters since the previous match
A similar line was printed (1 character differs). Did you mean that one?

Closest output:
  sum-42

Circumstances:
  boot: reached a shell prompt
  speed: emulated (tcg)

End of the console:
  Enter 'help' for a list of built-in commands.

  coldboot# echo sum-$((40 + 2))
  sum-42
  coldboot#

Command line:
  qemu-system-x86_64 -name guest=vm -kernel vmlinuz -append 'console=ttyS0 panic=-1'

Log:
  .vitest/coldboot/boot.test.ts/adds-two-numbers/vm/console.log
`

/** Time of the failed wait in the machine of the first test, seconds. */
export const FAILED_AT = 4.41

const BOOT = [
  'Linux version 6.12.48 (gcc 14.2.0) #1 SMP PREEMPT_DYNAMIC',
  'Command line: console=ttyS0 panic=-1 quiet',
  'BIOS-provided physical RAM map:',
  'Memory: 221204K/261624K available',
  'Serial: 8250/16550 driver, 4 ports, IRQ sharing enabled',
  'virtio_blk virtio0: [vda] 20480 512-byte logical blocks',
  'Run /init as init process',
]

function guestTest(path: readonly string[], about: Partial<GuestTestRecord>): GuestTestRecord {
  const of = { machine: 'client', command: './run_kselftest.sh', repeat: 0, retry: 1 }
  return { name: path.at(-1) ?? '', path, status: 'failed', ...of, ...about }
}

/** Fills the project with files. @returns its run */
export function busyRun(project: SampleProject): RunReport {
  const source = project.write('boot.test.ts', SOURCE)
  const boot = BOOT.map((text, index) => ({ time: 0.2 + index * 0.15, text: `[    0.${index}00000] ${text}` }))
  const lines = [
    ...boot,
    { time: 1.31, text: 'BusyBox v1.35.0 (Debian 1:1.35.0-4+b3) built-in shell (ash)' },
    { time: 1.32, text: "Enter 'help' for a list of built-in commands." },
    { time: 1.38, text: 'coldboot# echo sum-$((40 + 2))' },
    { time: 1.44, text: 'sum-42' },
    { time: 1.45, text: 'coldboot# ' },
  ]
  const output = lines.map(({ time, text }) => [time, 'o', `${text}\r\n`] as const)
  const machine = project.machine('boot.test.ts/adds-two-numbers/vm', {
    'console.log': lines.map(({ text }) => `${text}\r\n`).join(''),
    'console.txt': lines.map(({ time, text }) => `[${time.toFixed(6).padStart(12)}] ${text}\n`).join(''),
    'console.cast': castOf(
      ...output,
      [1.4, 'i', 'echo sum-$((40 + 2))\n'],
      [FAILED_AT, 'm', 'expect "sum-43" timed out'],
    ),
    'command-line.sh':
      "#!/bin/sh\nexec qemu-system-x86_64 -name guest=vm -kernel vmlinuz -append 'console=ttyS0 panic=-1'\n",
    'timeline.jsonl': jsonLines(
      { time: 0.02, kind: 'event', text: 'RESUME' },
      { time: 0.03, kind: 'expect', text: '"coldboot# "', id: 'expect-1', pattern: '"coldboot# "', timeoutMs: 60_000 },
      {
        time: 1.36,
        kind: 'match',
        text: 'coldboot# ',
        id: 'expect-1',
        pattern: '"coldboot# "',
        duration: 1340,
        ok: true,
      },
      { time: 1.37, kind: 'send', text: 'echo sum-$((40 + 2))\n' },
      { time: 1.41, kind: 'expect', text: '"sum-43"', id: 'expect-2', pattern: '"sum-43"', location: `${source}:5:3` },
      {
        time: FAILED_AT,
        kind: 'timeout',
        text: MESSAGE,
        id: 'expect-2',
        pattern: '"sum-43"',
        duration: 3000,
        ok: false,
        location: `${source}:5:3`,
      },
      { time: 4.5, kind: 'event', text: 'SHUTDOWN host-qmp-quit' },
    ),
    'qmp.jsonl': jsonLines(
      { time: 0.01, direction: 'sent', message: { execute: 'qmp_capabilities', id: 1 } },
      { time: 0.011, direction: 'received', message: { return: {}, id: 1 } },
      { time: 4.49, direction: 'sent', message: { execute: 'quit', id: 2 } },
      { time: 4.5, direction: 'received', message: { event: 'SHUTDOWN', data: { guest: false } } },
    ),
    'screen.png': samplePicture(),
    'network.pcapng': new Uint8Array(1_500),
    'meta.json': JSON.stringify({
      name: 'vm',
      arch: 'x86_64',
      accelerator: 'tcg',
      memory: '256M',
      cpus: 1,
      qemuVersion: '7.2.19',
      start: 'template',
      duration: 4_620,
      exit: 'it was closed (QEMU exit code 0)',
      exitReason: 'closed',
      commandLine: "qemu-system-x86_64 -name guest=vm -kernel vmlinuz -append 'console=ttyS0 panic=-1'",
    }),
  })
  const place = { file: source, line: 5, column: 3 }
  const panic = 'Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)'
  const [server, client, first] = ['pings/server', 'pings/client', 'flaky/vm'].map((name) =>
    project.machine(`network.test.ts/${name}`, { 'console.log': `${BOOT.join('\r\n')}\r\n${panic}\r\n` }),
  )
  const tests = [
    sampleTest(['greets on the serial console'], { duration: 180 }),
    sampleTest(['adds two numbers'], {
      state: 'failed',
      line: 3,
      rerun: rerunCommand(['npx', 'vitest', 'run', 'boot.test.ts'], 'adds two numbers'),
      duration: 4_700,
      attempts: [sampleAttempt({ errors: [{ name: 'Error', message: MESSAGE, stack: [place] }], machines: [machine] })],
    }),
    sampleTest(['two machines', 'see each other over a network with losses'], {
      file: 'network.test.ts',
      project: 'emulated',
      state: 'failed',
      line: 12,
      duration: 65_000,
      attempts: [
        sampleAttempt({ errors: [{ name: 'MachineError', message: `"server" panicked: ${panic}`, stack: [] }] }),
        sampleAttempt({
          label: 'retry 1',
          errors: [
            {
              name: 'AssertionError',
              message: 'expected 1 to be +0 // Object.is equality',
              diff: '- Expected\n+ Received\n\n- 0\n+ 1',
              stack: [],
            },
          ],
          machines: [server, client].filter((path) => path !== undefined),
          guestTests: [
            guestTest(['kselftest', 'timers', 'posix_timers'], { status: 'passed' }),
            guestTest(['kselftest', 'net', 'ping'], { message: 'exit=1', log: '# no route to host' }),
          ],
        }),
      ],
    }),
    sampleTest(['restores in time'], {
      file: 'network.test.ts',
      attempts: [
        sampleAttempt({
          errors: [{ name: 'ExpectError', message: '"vm" did not print "ready" within 5.0 s', stack: [] }],
          machines: [first].filter((path) => path !== undefined),
        }),
        sampleAttempt({ state: 'passed', label: 'retry 1' }),
      ],
    }),
    ...Array.from({ length: 14 }, (_, index) =>
      sampleTest(['a machine', `has device number ${index + 1}`], { file: 'devices.test.ts' }),
    ),
    sampleTest(['boots on real hardware'], { state: 'skipped', duration: 0 }),
  ]
  // A runner reports an error again if it is not handled in time.
  const again = { name: 'Error', message: MESSAGE, stack: [place] }
  return sampleRun(project, tests, [
    again,
    { name: 'Error', message: 'The worker crashed: see `worker.log`', stack: [] },
  ])
}
