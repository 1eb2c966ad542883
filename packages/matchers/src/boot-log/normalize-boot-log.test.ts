import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type NormalizeOptions, normalizeBootLog } from './normalize-boot-log.ts'

describe('a line of the log', () => {
  test.for([
    ['[    0.123456] NET: Registered', '[<time>] NET: Registered'],
    ['[ 1234.123456][   T12] usb 1-1: new device', '[<time>] usb 1-1: new device'],
    ['<6>[    0.123456] usb', '<6>[<time>] usb'],
    [
      'rtc_cmos 00:04: setting system clock to 2026-11-22T17:31:25 UTC (1795368685)',
      'rtc_cmos 00:04: setting system clock to <time> (<time>)',
    ],
    [
      'audit: type=2000 audit(1795368683.584:1): state=initialized',
      'audit: type=2000 audit(<time>:1): state=initialized',
    ],
    ['Sun Nov 22 17:31:25 UTC 2026', '<time>'],
    ['Nov 22 17:31:25 debian sshd[412]: Server listening', '<time> debian sshd[<pid>]: Server listening'],
    ['systemd[1]: Reached target Network.', 'systemd[1]: Reached target Network.'],
    [
      'systemd[1]: Startup finished in 1.234s (kernel) + 3min 2.5s',
      'systemd[1]: Startup finished in <number>s (kernel) + <number>min <number>s',
    ],
    ['CPU: 0 PID: 88 Comm: sh', 'CPU: 0 PID: <pid> Comm: sh'],
    ['BIOS 1.16.2-debian-1.16.2-1 04/01/2014', 'BIOS <version> <time>'],
    ['eth0: 52:54:00:12:34:56', 'eth0: <mac>'],
    ['root=UUID=6F9619FF-8B86-D011-B42D-00CF4FC964FF ro', 'root=UUID=<uuid> ro'],
    ['BIOS-e820: [mem 0x0000000000100000-0x000000000ffdffff] usable', 'BIOS-e820: [mem <address>-<address>] usable'],
    [
      'ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A',
      'ttyS0 at I/O 0x3f8 (irq = 4, base_baud = 115200) is a 16550A',
    ],
    ['RIP: ffffffff81000123 at', 'RIP: <address> at'],
    ["Loaded X.509 cert 'key: 8963f707e289edc09df337a240938134371a5bb8'", "Loaded X.509 cert 'key: <hash>'"],
    [
      'Memory: 195680K/261624K available (14343K kernel code)',
      'Memory: <number>K/<number>K available (<number>K kernel code)',
    ],
    ['hpet0: 3 comparators, 64-bit 100.000000 MHz counter', 'hpet0: 3 comparators, 64-bit <number> MHz counter'],
    ['Linux version 6.1.0-56-amd64 (gcc-12) #1 SMP (2026-11-16)', 'Linux version <version>'],
    [
      'BusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell',
      'BusyBox <version> (Debian 1:<version>) built-in shell',
    ],
    ['inet 10.0.2.15/24 brd 10.0.2.255', 'inet 10.0.2.15/24 brd 10.0.2.255'],
    ['pci 0000:00:01.0: [8086:7000] type 00 class 0x060100', 'pci 0000:00:01.0: [8086:7000] type 00 class <address>'],
    ['pid_max: default: 32768 minimum: 301', 'pid_max: default: 32768 minimum: 301'],
    ['trailing blanks \t', 'trailing blanks'],
  ])('%s', ([line, normal]) => {
    expect(normalizeBootLog(`first\n${line}\nlast`)).toBe(`first\n${normal}\nlast`)
  })
})

test('removes whole lines that depend on the speed of the host, with or without a timestamp', () => {
  const log = `kept
[    0.044000] tsc: Unable to calibrate against PIT
[    2.098274] clocksource: tsc: mask: 0xffffffffffffffff
..MP-BIOS bug: 8254 timer not connected to IO-APIC
[    0.000000] random: crng init done
kept too
`
  expect(normalizeBootLog(log)).toBe('kept\nkept too')
})

test('keeps the details in `keep` and replaces the others', () => {
  const log = '[    1.000000] Linux version 6.1.0 (gcc)\n[    2.000000] tsc: Detected 2700.047 MHz'
  expect(normalizeBootLog(log, { keep: ['versions', 'hostSpeed'] })).toBe(
    '[<time>] Linux version 6.1.0 (gcc)\n[<time>] tsc: Detected <number> MHz',
  )
})

describe('custom normalizers', () => {
  test('replace all occurrences, before the built-in replacements', () => {
    const options: NormalizeOptions = {
      normalizers: [
        ['secret', '<secret>'],
        [/serial (?<number>\w)\w+/y, 'serial $<number>…'],
        (log) => log.toUpperCase(),
      ],
    }
    expect(normalizeBootLog('secret secret serial a12\nserial b34', options)).toBe(
      '<SECRET> <SECRET> SERIAL A…\nSERIAL B…',
    )
  })

  test('can remove whole lines', () => {
    expect(normalizeBootLog('a\nnoise 1\nb\n', { normalizers: [[/^noise.*\n/m, '']] })).toBe('a\nb')
  })
})

test('normalizing a normalized log changes nothing', () => {
  const part = fc.constantFrom(
    '[    0.5] ',
    'pid=7 ',
    '12:34:56 ',
    '0xdeadbeef ',
    '12 MB ',
    'v1.2.3-4 ',
    '\n',
    'x[9]: ',
    'tsc: ',
  )
  fc.assert(
    fc.property(fc.array(part), (parts) => {
      const once = normalizeBootLog(parts.join(''))
      expect(normalizeBootLog(once)).toBe(once)
    }),
  )
})

test.for([
  { normalizers: 'x' },
  { normalizers: [['', 'x']] },
  { normalizers: [/x/] },
  { keep: ['all'] },
  { keep: 'times' },
])('refuses %o', (options) => {
  const code = 'INVALID_OPTION'
  expect(() => normalizeBootLog('', options as unknown as NormalizeOptions)).toThrow(expect.objectContaining({ code }))
})
