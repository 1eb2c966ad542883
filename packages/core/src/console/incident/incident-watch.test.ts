import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { GuestError, MachineError } from '../../errors.ts'
import { Console, type ConsoleOptions } from '../console.ts'
import { Transcript } from '../log/transcript.ts'
import { INCIDENT_KINDS } from './incident-kinds.ts'
import { OVERLAP } from './suspicion.ts'

function setUp(options: Partial<ConsoleOptions> = {}): { console: Console; guest: Duplex } {
  const [host, guest] = duplexPair()
  // Pauses take a tenth of the time on a real machine.
  const scale = (milliseconds: number): number => milliseconds / 10
  const console = new Console({ name: 'vm', transcript: new Transcript(), timeoutMs: 20_000, scale, ...options })
  console.attach(host)
  return { console, guest }
}

const recorded = (name: string): Buffer => readFileSync(new URL(`../../../test/consoles/${name}.txt`, import.meta.url))

const exit = (): MachineError => new MachineError('MACHINE_EXITED', 'the guest rebooted, which ends the machine')

async function failureOf(promise: Promise<unknown>): Promise<GuestError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(GuestError)
  return error as GuestError
}

const PANIC = [
  '[    2.083140] Kernel panic - not syncing: sysrq triggered crash',
  '[    2.083564] CPU: 0 PID: 85 Comm: sh Not tainted 6.1.0-56-amd64 #1',
  '[    2.108755] Kernel Offset: disabled',
  '[    2.108800] ---[ end Kernel panic - not syncing: sysrq triggered crash ]---',
  '',
].join('\r\n')

describe('a panic', () => {
  test('rejects every wait at once, with its whole text and the console before it', async () => {
    const { console, guest } = setUp()
    const waits = [console.expect('login: '), console.expect(/never/)].map(failureOf)
    guest.write('booting\r\n# echo c\r\n')
    for (const byte of Buffer.from(PANIC)) guest.write(Buffer.of(byte))
    const [first, second] = await Promise.all(waits)
    expect(first?.code).toBe('GUEST_PANICKED')
    expect(first?.shortMessage).toMatch(
      /^"vm" panicked while "login: " was awaited: Kernel panic - not syncing: sysrq triggered crash \(/,
    )
    expect(first?.message).toMatch(/What the guest said:\n {2}\[ {4}2\.083140\] Kernel panic[^]*---\[ end Kernel panic/)
    expect(first?.message).toMatch(/Before that:\n {2}booting\n {2}# echo c$/)
    expect(second?.shortMessage).toContain('while /never/ was awaited')
    expect(console.incidents).toEqual([
      expect.objectContaining({ failure: 'panic', code: 'GUEST_PANICKED', allowed: false }),
    ])
  })

  test('has the functions of its call trace from the System.map', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const systemMap = join(folder, 'System.map')
    writeFileSync(systemMap, 'ffffffff8104d2a0 T panic\nffffffff8104d5c0 t do_exit\n')
    const { console, guest } = setUp({ failOn: { systemMap } })
    const failure = failureOf(console.expect('login: '))
    const trace = '[    2.083600] Call Trace:\r\n[    2.083601]  0xffffffff8104d3b0\r\n'
    guest.write(PANIC.replace('[    2.108755]', `${trace}[    2.108755]`))
    expect((await failure).sections['Call trace']).toBe('panic+0x110/0x320')
  })

  test('resolves waits for output before it or with it, and rejects later ones at once', async () => {
    const { console, guest } = setUp()
    const [before, within, after] = [
      console.expect('last words'),
      console.expect(/Comm: (\w+)/),
      failureOf(console.expect('never')),
    ]
    guest.write(`last words\r\n${PANIC}`)
    expect((await before).text).toBe('last words')
    expect((await within).captures).toEqual(['sh'])
    expect((await after).code).toBe('GUEST_PANICKED')
    expect((await console.expect('Kernel Offset')).text).toBe('Kernel Offset')
    expect((await failureOf(console.expect('never'))).code).toBe('GUEST_PANICKED')
  })

  test('a panic that resets the machine is distinguished from a reboot', async () => {
    const { console, guest } = setUp()
    const wait = failureOf(console.expect('login: '))
    guest.end(recorded('panic-and-reset'))
    await console.end(exit)
    expect((await wait).shortMessage).toMatch(/panicked.*sysrq triggered crash/)
    expect((await failureOf(console.expect('never'))).code).toBe('GUEST_PANICKED')
  })

  test('a panic without an end marker is reported when the console pauses', async () => {
    const { console, guest } = setUp()
    guest.write(recorded('panic-and-reset'))
    expect((await failureOf(console.expect('never'))).message).toContain('Kernel Offset: disabled')
  })

  test('a panic in the middle of a line is detected', async () => {
    const { console, guest } = setUp()
    guest.write(`\x1b[1muser@box:~$ ls -${PANIC}`)
    expect((await failureOf(console.expect('never'))).code).toBe('GUEST_PANICKED')
  })

  test('a panic of a kernel without time stamps is detected if its trace follows', async () => {
    const { console, guest } = setUp()
    guest.write(PANIC.replaceAll(/\[ {4}[\d.]+\] /g, ''))
    expect((await failureOf(console.expect('never'))).code).toBe('GUEST_PANICKED')
  })

  test('text that a program echoes is ignored', async () => {
    const { console, guest } = setUp()
    guest.write('# echo "Kernel panic - not syncing: no"\r\nKernel panic - not syncing: no\r\nKernel panic\r\n')
    guest.write('foo: Kernel panic - not syncing: x\r\nOops: something went wrong\r\nBUG: none\r\n# ')
    guest.write(`# echo "[    2.083140] Kernel panic - not syncing: x"\r\n`)
    await new Promise((resolve) => setTimeout(resolve, 300))
    guest.end('login: ')
    expect((await console.expect('login: ')).text).toBe('login: ')
    await console.end(exit)
    expect(console.incidents).toEqual([])
  })

  test('a panic that is allowed is listed, and waits continue', async () => {
    const { console, guest } = setUp({ failOn: { panic: 'allow' } })
    const wait = console.expect('rebooted')
    guest.write(PANIC)
    guest.write('rebooted')
    expect((await wait).text).toBe('rebooted')
    expect(console.incidents).toMatchObject([{ failure: 'panic', allowed: true }])
  })

  test('recorded in a template does not reject waits', () => {
    const { console } = setUp()
    console.recall(Buffer.from(PANIC))
    expect(console.incidents).toEqual([])
  })
})

const kernel = (text: string): string => `[   12.345678] ${text}\r\n`

test.each<[what: string, failure: string, code: string, text: string]>([
  ['no root file system', 'panic', 'GUEST_PANICKED', recorded('no-root').toString()],
  ['an init that exits', 'panic', 'GUEST_PANICKED', recorded('init-exits').toString()],
  ['a crash of init', 'initCrash', 'GUEST_PANICKED', kernel('init[1]: segfault at 0 ip 0000 sp 0000 error 4 in init')],
  ['a null pointer', 'oops', 'GUEST_OOPSED', kernel('BUG: kernel NULL pointer dereference, address: 0000000000000000')],
  [
    'an oops on arm64',
    'oops',
    'GUEST_OOPSED',
    kernel('Unable to handle kernel paging request at virtual address dead'),
  ],
  ['a failed assertion', 'oops', 'GUEST_OOPSED', kernel('kernel BUG at mm/slub.c:305!')],
  ['KASAN', 'bug', 'GUEST_OOPSED', kernel('BUG: KASAN: slab-out-of-bounds in kmalloc_oob_right+0xa8/0xbc')],
  ['a soft lockup', 'softLockup', 'GUEST_HUNG', kernel('watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [sh:85]')],
  ['a hung task', 'hungTask', 'GUEST_HUNG', kernel('INFO: task kworker/0:1:12 blocked for more than 120 seconds.')],
  ['a kill when memory runs out', 'outOfMemory', 'GUEST_OUT_OF_MEMORY', recorded('out-of-memory').toString()],
  ['the same, kernel quiet', 'outOfMemory', 'GUEST_OUT_OF_MEMORY', kernel('Out of memory: Killed process 87 (tail) x')],
  [
    'initramfs-tools',
    'emergencyShell',
    'GUEST_EMERGENCY_SHELL',
    'ALERT!  /dev/sda1 does not exist.  Dropping to a shell!\r\n\r\n(initramfs) ',
  ],
  ['its prompt alone', 'emergencyShell', 'GUEST_EMERGENCY_SHELL', '\r\n(initramfs) '],
  ['dracut', 'emergencyShell', 'GUEST_EMERGENCY_SHELL', '\r\nEntering emergency mode. Exit the shell to continue.\r\n'],
  [
    'systemd',
    'emergencyShell',
    'GUEST_EMERGENCY_SHELL',
    'You are in emergency mode. After logging in, type "journalctl -xb" to view\r\nsystem logs\r\nPress Enter for maintenance\r\n(or press Control-D to continue): ',
  ],
  // Messages of mkinitfs and mkinitcpio (their init), and of stage 1 of NixOS.
  [
    'Alpine',
    'emergencyShell',
    'GUEST_EMERGENCY_SHELL',
    "Mounting boot media: failed. \r\ninitramfs emergency recovery shell launched. Type 'exit' to continue boot\r\nsh: can't access tty; job control turned off\r\n~ # ",
  ],
  [
    'Arch',
    'emergencyShell',
    'GUEST_EMERGENCY_SHELL',
    "ERROR: Failed to mount '' on real root\r\nYou are now being dropped into an emergency shell.\r\nsh: can't access tty; job control turned off\r\n[rootfs ~]# ",
  ],
  [
    'NixOS',
    'emergencyShell',
    'GUEST_EMERGENCY_SHELL',
    "\r\nAn error occurred in stage 1 of the boot process, which must mount the\r\nroot filesystem on `/mnt-root' and then start stage 2.  Press one\r\nof the following keys:\r\n\r\n  r) to reboot immediately\r\n",
  ],
  ['FreeBSD', 'emergencyShell', 'GUEST_EMERGENCY_SHELL', '\r\nmountroot> '],
  ["GRUB's command line", 'noBootDevice', 'GUEST_NOT_BOOTED', recorded('grub-prompt').toString()],
  ["GRUB's rescue shell", 'noBootDevice', 'GUEST_NOT_BOOTED', 'error: no such device.\r\ngrub rescue> '],
  ["UEFI's shell", 'noBootDevice', 'GUEST_NOT_BOOTED', recorded('uefi-shell').toString()],
  // Messages of SLOF: board-qemu/slof/OF.fs and romfs/boot.fs.
  [
    'SLOF',
    'noBootDevice',
    'GUEST_NOT_BOOTED',
    "\r\nE3404: Not a bootable device!\r\n\r\nE3407: Load failed\r\n\r\n  Type 'boot' and press return to continue booting the system.\r\n  Type 'reset-all' and press return to reboot the system.\r\n\r\nReady! \r\n0 > ",
  ],
  ["the boot sector of syslinux' mbr.bin", 'noBootDevice', 'GUEST_NOT_BOOTED', 'Missing operating system.\r\n'],
  ['a BIOS', 'noBootDevice', 'GUEST_NOT_BOOTED', 'Operating System not found\r\n'],
  [
    'the boot sector of mkfs.fat',
    'noBootDevice',
    'GUEST_NOT_BOOTED',
    'This is not a bootable disk.  Please insert a bootable floppy and\r\npress any key to try again ... \r\n',
  ],
  [
    'an RCU stall',
    'rcuStall',
    'GUEST_HUNG',
    kernel('rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:') + kernel('rcu: \t0-...!: (3 ticks this GP)'),
  ],
  ['one of its own CPU', 'rcuStall', 'GUEST_HUNG', kernel('rcu: INFO: rcu_sched self-detected stall on CPU')],
  ['one of older kernels', 'rcuStall', 'GUEST_HUNG', kernel('INFO: rcu_sched detected stalls on CPUs/tasks:')],
  ['SeaBIOS', 'noBootDevice', 'GUEST_NOT_BOOTED', 'Booting from Hard Disk...\r\nNo bootable device.\r\n'],
])('%s is seen', async (_what, failure, code, text) => {
  const { console, guest } = setUp()
  guest.write(text)
  const error = await failureOf(console.expect('never'))
  expect(error.code).toBe(code)
  expect(console.incidents).toMatchObject([{ failure, code }])
})

test('detects prompts of boot loaders only at the end of the output', async () => {
  const { console, guest } = setUp()
  guest.write('# cat manual\r\ngrub> ls\r\nShell> fs0:\r\nmountroot> ufs:/dev/da0\r\n# ')
  guest.end('login: ')
  expect((await console.expect('login: ')).text).toBe('login: ')
  await console.end(exit)
  expect(console.incidents).toEqual([])
})

test('reports an oops that becomes a panic as one panic with both texts', async () => {
  const { console, guest } = setUp()
  const oops = kernel('Oops: 0002 [#1] PREEMPT SMP') + kernel('RIP: 0010:crash_init+0x5/0x10')
  guest.write(oops + kernel('---[ end trace 0000000000000000 ]---') + PANIC)
  const error = await failureOf(console.expect('never'))
  expect(error.code).toBe('GUEST_PANICKED')
  expect(error.message).toMatch(/Oops: 0002[^]*end Kernel panic/)
  expect(console.incidents).toHaveLength(1)
})

test('reports messages repeated by dmesg only once', async () => {
  const { console, guest } = setUp({ failOn: { oops: 'allow' } })
  for (const _again of [1, 2]) {
    guest.write(kernel('Oops: 0002 [#1] PREEMPT SMP'))
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  guest.write('ok')
  await console.expect('ok')
  expect(console.incidents).toHaveLength(1)
})

test('reports a panic that only QEMU reports', async () => {
  const { console } = setUp()
  const wait = failureOf(console.expect('never'))
  console.event('panic', 'QEMU was told')
  expect((await wait).shortMessage).toMatch(/panicked while "never" was awaited: QEMU was told/)
})

test('rejects waits for a custom pattern', async () => {
  const { console, guest } = setUp({ failOn: { custom: [{ name: 'fatal', pattern: /FATAL: (.*)/ }] } })
  const wait = failureOf(console.expect('never'))
  guest.write('app: FATAL: no database\r\n')
  const error = await wait
  expect(error.code).toBe('GUEST_CUSTOM_FAILURE')
  expect(error.shortMessage).toMatch(
    /matched "fatal" of `failOn.custom` while "never" was awaited: FATAL: no database \(/,
  )
})

test('detects the same failures for any chunks', async () => {
  const text = Buffer.from(`one\r\n\x1b[1mtwo ${kernel('Out of memory: Killed process 8 (a) b')}three\r\n${PANIC}four`)
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(text.length), { maxLength: 12 }), async (places) => {
      const { console, guest } = setUp()
      const cuts = [0, ...places, text.length].sort((a, b) => a - b)
      for (const [index, end] of cuts.slice(1).entries()) guest.write(text.subarray(cuts[index], end))
      guest.end()
      await console.end(exit)
      expect(console.incidents).toMatchObject([
        { failure: 'panic', message: 'Kernel panic - not syncing: sysrq triggered crash' },
      ])
      expect(console.incidents[0]?.excerpt.split('\n')).toHaveLength(5)
    }),
    { numRuns: 100 },
  )
})

test('all texts of the fast search fit into the overlap', () => {
  for (const { begins, has = [] } of INCIDENT_KINDS) {
    for (const text of [...begins, ...has]) expect(text.length).toBeLessThan(OVERLAP - 16)
  }
})
