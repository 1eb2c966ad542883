/** Tests that error messages name the cause of faults. Most of the console output was recorded from real guests. */
import { readFileSync } from 'node:fs'
import { duplexPair } from 'node:stream'
import { expect, test } from 'vitest'
import { ColdbootError, type ErrorCode, MachineError } from '../../errors.ts'
import { Console } from '../console.ts'
import type { ExpectOptions } from '../expect/expect-options.ts'
import { Transcript } from '../log/transcript.ts'
import type { PatternInput } from '../match/pattern.ts'

interface Fault {
  /** Output of the machine. */
  readonly prints: string | Buffer
  /** Lines that are typed first. */
  readonly types?: string
  /** Pattern of an earlier wait. */
  readonly first?: PatternInput
  readonly awaited?: PatternInput
  readonly options?: ExpectOptions
  /** Whether the machine ends after its output. */
  readonly exits?: string
  readonly code: ErrorCode
  /** Expected text of the message. */
  readonly says: RegExp
}

const recorded = (name: string): Buffer => readFileSync(new URL(`../../../test/consoles/${name}.txt`, import.meta.url))
const kernel = (text: string): string => `[   12.345678] ${text}\r\n`

const FAULTS: Readonly<Record<string, Fault>> = {
  'a kernel without console= for this console': {
    prints: '',
    code: 'EXPECT_TIMEOUT',
    says: /printed nothing \(0 bytes\)\n.*`console=ttyS0`/,
  },
  'no root file system and no initramfs': {
    prints: recorded('no-root'),
    code: 'GUEST_PANICKED',
    says: /no root file system.*set `initramfs` to an archive with an \/init/,
  },
  'a whole boot that ends without a root file system': {
    prints: recorded('boot-without-root'),
    code: 'GUEST_PANICKED',
    says: /no root file system.*unknown-block\(0,0\)/,
  },
  'an initramfs that is damaged': {
    prints: recorded('damaged-initramfs'),
    code: 'GUEST_PANICKED',
    says: /could not unpack the initramfs \(invalid magic at start of compressed archive\)/,
  },
  'an init that ends': {
    prints: recorded('init-exits'),
    code: 'GUEST_PANICKED',
    says: /first program \(init, process 1\) exited with status 0x01/,
  },
  'an init that is not executable': {
    prints: recorded('init-not-executable'),
    awaited: 'my own init',
    code: 'EXPECT_TIMEOUT',
    says: /\/etc\/passwd is not executable \(EACCES\)/,
  },
  'an init of another architecture': {
    prints: kernel('Failed to execute /init (error -8)') + kernel('Kernel panic - not syncing: No working init found.'),
    code: 'GUEST_PANICKED',
    says: /\/init cannot run on this machine \(ENOEXEC\): it is built for another architecture/,
  },
  'an init whose interpreter is missing': {
    prints: kernel('Failed to execute /init (error -2)') + kernel('Kernel panic - not syncing: No working init found.'),
    code: 'GUEST_PANICKED',
    says: /\/init, or the interpreter or dynamic linker that it needs, is not in the initramfs/,
  },
  'an init that crashes': {
    prints:
      kernel('init[1]: segfault at 0 ip 0000000000401000 sp 00007ffc error 6 in init[401000+1000]') +
      kernel('Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b'),
    code: 'GUEST_PANICKED',
    says: /first program \(init, process 1\) crashed[^]*segfault at 0/,
  },
  'an init that a kernel option names and that is not there': {
    prints:
      kernel('Kernel panic - not syncing: Requested init /sbin/nope failed (error -2).') +
      kernel('---[ end Kernel panic - not syncing: Requested init /sbin/nope failed (error -2). ]---'),
    code: 'GUEST_PANICKED',
    says: /cannot run `init=\/sbin\/nope` \(error -2\)/,
  },
  'a panic of a running machine, which resets it': {
    prints: recorded('panic-and-reset'),
    first: 'coldboot# ',
    exits: 'the guest rebooted, which ends the machine',
    code: 'GUEST_PANICKED',
    says: /panicked.*sysrq triggered crash[^]*wrote "c" to \/proc\/sysrq-trigger/,
  },
  'a process killed because memory ran out': {
    prints: recorded('out-of-memory'),
    code: 'GUEST_OUT_OF_MEMORY',
    says: /ran out of memory.*Killed process 87 \(tail\)|killed "tail" because memory ran out/,
  },
  'a driver that oopses': {
    prints:
      kernel('BUG: kernel NULL pointer dereference, address: 0000000000000008') +
      kernel('RIP: 0010:my_probe+0x5/0x10 [mydrv]'),
    code: 'GUEST_OOPSED',
    says: /NULL pointer dereference[^]*my_probe/,
  },
  'a CPU that is stuck': {
    prints: kernel('watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [burn:85]'),
    code: 'GUEST_HUNG',
    says: /a CPU is stuck in the kernel.*\[burn:85\]/,
  },
  'a task that never comes back': {
    prints: kernel('INFO: task mount:12 blocked for more than 120 seconds.'),
    code: 'GUEST_HUNG',
    says: /task that is blocked.*mount:12/,
  },
  'a root disk that does not appear': {
    prints:
      'Gave up waiting for root file system device.  Common problems:\r\n - Missing modules\r\n' +
      'ALERT!  UUID=4d2b does not exist.  Dropping to a shell!\r\n\r\n(initramfs) ',
    code: 'GUEST_EMERGENCY_SHELL',
    says: /emergency shell.*UUID=4d2b does not exist[^]*The disk of `root=` did not appear/,
  },
  'a systemd that gives up': {
    prints:
      '[DEPEND] Dependency failed for /data.\r\nYou are in emergency mode. After logging in, type "journalctl -xb"\r\n',
    code: 'GUEST_EMERGENCY_SHELL',
    says: /emergency shell[^]*Dependency failed for \/data/,
  },
  'a disk without a boot loader': {
    prints:
      'SeaBIOS (version 1.16.2)\r\nBooting from Hard Disk...\r\nBoot failed: not a bootable disk\r\n\r\nNo bootable device.\r\n',
    code: 'GUEST_NOT_BOOTED',
    says: /found nothing to boot[^]*no boot loader for this firmware/,
  },
  'a module that the guest does not have': {
    prints: recorded('failing-commands').subarray(0, 340),
    first: 'coldboot# ',
    code: 'EXPECT_TIMEOUT',
    says: /The guest has no kernel module "nosuch"/,
  },
  'a file system that the kernel does not know': {
    prints: '# mount -t 9p x /mnt\r\nmount: mounting x on /mnt failed: No such device\r\n# ',
    code: 'EXPECT_TIMEOUT',
    says: /kernel does not support the file system: load its module/,
  },
  'a disk that is full': {
    prints: "# dd if=/dev/zero of=/tmp/x\r\ndd: error writing '/tmp/x': No space left on device\r\n# ",
    code: 'EXPECT_TIMEOUT',
    says: /file system in the guest is full/,
  },
  'a command that there is not': {
    prints: '# frobnicate\r\n/dev/tty: line 1: frobnicate: not found\r\n# ',
    code: 'EXPECT_TIMEOUT',
    says: /The guest has no command "frobnicate"/,
  },
  'a typo in the pattern': {
    prints: 'Service ready: postgres\r\n',
    awaited: 'Service ready: postgers',
    code: 'EXPECT_TIMEOUT',
    says: /2 characters differ\)\. Did you mean that one\?\n\nClosest output:\n {2}Service ready: postgres/,
  },
  'a pattern in another case': {
    prints: 'debian login: ',
    awaited: /Login: $/,
    code: 'EXPECT_TIMEOUT',
    says: /only in upper and lower case[^]*Closest output:\n {2}login:/,
  },
  'a panic without a time stamp, after a NUL': {
    prints: '\0Kernel panic - not syncing: Attempted to kill init!\r\nCPU: 0 PID: 1 Comm: init\r\n',
    code: 'GUEST_PANICKED',
    says: /Attempted to kill init!/,
  },
  'a program that asks its terminal and waits': {
    prints: 'Loading the menu\r\n\x1b[2J\x1b[999;999H\x1b[6n',
    code: 'EXPECT_TIMEOUT',
    says: /asked its terminal for the position of its cursor \(`ESC\[6n`\).*send `"\\x1b\[1;1R"`/,
  },
  'escape codes in the pattern of a prompt': {
    prints: '\x1b[1;32mroot@box\x1b[0m:~# ',
    awaited: '\x1b[1;32mroot@box\x1b[0m:~# ',
    code: 'EXPECT_TIMEOUT',
    says: /\{ view: "raw" \}|text that is searched has neither/,
  },
  'a kernel message in the middle of the awaited line': {
    prints: `tests: 12 pa${kernel('eth0: link up')}ssed\r\n`,
    awaited: '12 passed',
    code: 'EXPECT_TIMEOUT',
    says: /Kernel messages interrupt the output.*view: "userspace"/,
  },
  'a line that an earlier wait consumed': {
    prints: 'server ready\r\nclient ready\r\n',
    first: 'client ready',
    awaited: 'server ready',
    code: 'EXPECT_TIMEOUT',
    says: /before the previous match, which consumed it[^]*previous match: "client ready"/,
  },
  'a command typed without Enter': {
    prints: '# echo hello-$((1+1))',
    types: 'echo hello-$((1+1))',
    awaited: 'echo hello-2',
    code: 'EXPECT_TIMEOUT',
    says: /^"vm" did not.*\nThe last text sent, "echo hello-\$\(\(1\+1\)\)", has no line end.*`\\n`\.\n\nCircumstances/,
  },
  'a command typed with Enter': {
    prints: '# sleep 1000\r\n',
    types: 'sleep 1000\n',
    first: '1000\n',
    options: { timeout: 80 },
    code: 'EXPECT_TIMEOUT',
    says: /\nNothing was printed since the wait began/,
  },
  'a guest that sleeps': {
    prints: '# sleep 1000\r\n',
    first: '1000\n',
    options: { timeout: 80 },
    code: 'EXPECT_TIMEOUT',
    says: /Nothing was printed since the wait began: the guest is idle/,
  },
  'a boot that stops on its way': {
    prints: `SeaBIOS (version 1.16.2)\r\n${kernel('Linux version 6.1.0')}${kernel('Run /init as init process')}`,
    code: 'EXPECT_TIMEOUT',
    says: /Circumstances:\n {2}boot: reached the initramfs\n {2}speed: emulated without hardware acceleration \(\/dev\/kvm does not exist\)/,
  },
  'a guest that powers off too early': {
    prints: 'one\r\ncoldboot: the lines of `init` failed with status 3; the machine ends here\r\n',
    exits: 'the guest powered off',
    code: 'EXPECT_EXITED',
    says: /ended before it printed.*the guest powered off[^]*A line of `init` failed with status 3/,
  },
  'a kernel of a distribution without its modules': {
    prints:
      'coldboot: channel org.coldboot.agent is not there; the machine ends here. It needs CONFIG_VIRTIO_CONSOLE\r\n',
    exits: 'the guest powered off',
    code: 'EXPECT_EXITED',
    says: /The kernel has no driver for virtio consoles[^]*pass its modules to `kernelOf`/,
  },
  'a machine that reboots': {
    prints: 'login: ',
    exits: 'the guest rebooted, which ends the machine',
    awaited: 'never',
    code: 'EXPECT_EXITED',
    says: /ended before it printed "never": the guest rebooted/,
  },
}

const context = {
  arch: 'x86_64',
  consoleDevice: 'ttyS0',
  emulatedBecause: '/dev/kvm does not exist',
  commandLine: ['qemu-system-x86_64'],
  logFile: '/tmp/vm/console.log',
}

test.each(Object.entries(FAULTS))('%s is named', async (_name, fault) => {
  const [host, guest] = duplexPair()
  // Pauses and waits take a tenth of the time on a real machine.
  const console = new Console({
    name: 'vm',
    transcript: new Transcript(),
    timeoutMs: 600,
    scale: (milliseconds) => milliseconds / 10,
    describe: () => context,
  })
  console.attach(host)
  if (fault.types !== undefined) console.send(fault.types)
  guest.write(fault.prints)
  if (fault.first !== undefined) await console.expect(fault.first, { timeout: 100_000 })
  // A fault that ends the wait must do so before the timeout.
  const timeout = fault.code === 'EXPECT_TIMEOUT' ? 6_000 : Infinity
  const wait = console.expect(fault.awaited ?? 'never printed', { timeout, ...fault.options })
  if (fault.exits !== undefined) {
    const { exits } = fault
    guest.end()
    await console.end(() => new MachineError('MACHINE_EXITED', exits))
  }
  const error: unknown = await wait.catch((reason: unknown) => reason)
  guest.end()
  if (!ColdbootError.is(error)) throw new TypeError('the wait did not fail')
  expect(error.code, error.message).toBe(fault.code)
  expect(error.message).toMatch(fault.says)
  expect(error.message).toContain('Command line:\n  qemu-system-x86_64')
})

test('does not offer the echo of a typed line as similar output', async () => {
  const { error } = await failedAfter('login: root\r\n# echo helo-world\r\n-sh: echo: not found\r\n# ', {
    typed: 'echo helo-world\n',
    awaited: 'hello-world',
  })
  expect(error.message).not.toContain('Did you mean')
  expect(error.message).not.toContain('Closest output')
})

test('offers the output of a typed line that resembles the pattern, not its echo', async () => {
  const { error } = await failedAfter('# echo helo-world\r\nhelo-world\r\n# ', {
    typed: 'echo helo-world\n',
    awaited: 'hello-world',
  })
  expect(error.message).toContain('Closest output:\n  helo-world\n')
})

test('names the prompt at which the machine waits', async () => {
  const { error } = await failedAfter('booted\r\ncoldboot# ', { awaited: 'login: ' })
  expect(error.message).toContain('at the prompt "coldboot# " and waits for input. It is a shell that needs no login.')
})

test('names the prompt that an earlier wait matched', async () => {
  const { error } = await failedAfter('booted\r\ncoldboot# ', { first: 'coldboot# ', awaited: 'coldboot> ' })
  expect(error.message).toContain('at the prompt "coldboot# ", which an earlier wait matched, and waits for input.')
})

/** The error of a wait for output that is never printed. */
async function failedAfter(
  prints: string,
  { typed, first, awaited }: { readonly typed?: string; readonly first?: string; readonly awaited: string },
): Promise<{ readonly error: ColdbootError }> {
  const [host, machine] = duplexPair()
  const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 1_500, scale: (time) => time })
  console.attach(host)
  if (typed !== undefined) console.send(typed)
  machine.write(prints)
  if (first !== undefined) await console.expect(first)
  const error: unknown = await console.expect(awaited).catch((reason: unknown) => reason)
  if (!ColdbootError.is(error)) throw new TypeError('the wait did not fail')
  return { error }
}

test('does not report the query of a line editor at its prompt as the cause', async () => {
  const [host, machine] = duplexPair()
  const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 50, scale: (time) => time })
  console.attach(host)
  machine.write('~ # \x1b[6n')
  await expect(console.expect('never')).rejects.toThrow(/^(?![^]*asked its terminal)/)
})
