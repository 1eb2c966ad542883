/**
 * Table of guest failures: their patterns on the console, the end of their text, and their error codes. The messages
 * are from Linux, systemd, dracut, initramfs-tools and firmware.
 */
import type { ErrorCode } from '../../errors.ts'

/** Names of the built-in guest failures. */
export type GuestFailureName =
  | 'panic'
  | 'initCrash'
  | 'oops'
  | 'bug'
  | 'outOfMemory'
  | 'softLockup'
  | 'hungTask'
  | 'rcuStall'
  | 'emergencyShell'
  | 'noBootDevice'
  | 'watchdog'

/** A row of the table. */
export interface IncidentKind {
  readonly name: string
  readonly code: ErrorCode
  /** Description as a verb phrase, such as `panicked`. */
  readonly what: string
  /** Whether the kernel prints the message. If false, `pattern` is matched against the whole line. */
  readonly byKernel: boolean
  /**
   * Matched against a line, for kernel messages against the text after the time stamp. Undefined if only QMP reports
   * it.
   */
  readonly pattern: RegExp | undefined
  /**
   * Texts for a fast first search. Every match of `pattern` starts with one of them. Each is shorter than 48
   * characters.
   */
  readonly begins: readonly string[]
  /** Same as `begins`, for texts that occur later in the line. */
  readonly has?: readonly string[]
  /** Last line of the text, if it is always the same. */
  readonly end?: RegExp
  /** Silence after which the text counts as complete, milliseconds, before the multiplier. */
  readonly quietMs: number
  /** What to do about it. @default the hint of the error code */
  readonly hint?: string
}

const QUIET_MS = 250

/** Silence for panics. Longer, because an emulated kernel pauses between the lines of a trace to look up symbols. */
const PANIC_QUIET_MS = 1_000

/** The table, most severe first: if one failure leads to another, the most severe is reported. */
export const INCIDENT_KINDS: readonly (IncidentKind & { readonly name: GuestFailureName })[] = [
  {
    name: 'panic',
    code: 'GUEST_PANICKED',
    what: 'panicked',
    byKernel: true,
    pattern: /^Kernel panic - not syncing/,
    end: /^---\[ end Kernel panic|^Rebooting in \d+ seconds/,
    begins: ['Kernel panic - not syncing'],
    quietMs: PANIC_QUIET_MS,
  },
  {
    name: 'initCrash',
    code: 'GUEST_PANICKED',
    what: 'panicked because its init crashed',
    byKernel: true,
    pattern:
      /^(?:traps: )?[^\s[]+\[1\]:? (?:segfault|general protection|trap |unhandled (?:exception|signal)|bad frame|illegal instruction)/,
    begins: [],
    quietMs: PANIC_QUIET_MS,
  },
  {
    name: 'oops',
    code: 'GUEST_OOPSED',
    what: 'had an error in its kernel (an oops)',
    byKernel: true,
    pattern:
      /^(?:BUG: (?:kernel NULL pointer|unable to handle)|Unable to handle kernel|Oops: |Oops - |Oops\[#|Internal error: |kernel BUG at |general protection fault[:,]|invalid opcode: |divide error: |stack segment: |Kernel access of bad area)/,
    end: /^---\[ end trace/,
    begins: [
      'BUG: ',
      'Unable to handle kernel',
      'Oops',
      'Internal error: ',
      'kernel BUG at ',
      'general protection fault',
      'invalid opcode: ',
      'divide error: ',
      'stack segment: ',
      'Kernel access of bad area',
    ],
    quietMs: QUIET_MS,
  },
  {
    name: 'bug',
    code: 'GUEST_OOPSED',
    what: 'reported a bug in its kernel',
    byKernel: true,
    pattern: /^(?:BUG: (?!soft lockup|workqueue lockup)|UBSAN: |KASAN: |KFENCE: )\S/,
    begins: ['BUG: ', 'UBSAN: ', 'KASAN: ', 'KFENCE: '],
    quietMs: QUIET_MS,
  },
  {
    name: 'outOfMemory',
    code: 'GUEST_OUT_OF_MEMORY',
    what: 'ran out of memory',
    byKernel: true,
    pattern:
      /^(?:\S+ invoked oom-killer: |(?:Memory cgroup o|O)ut of memory: Kill(?:ed)? process \d+|Out of memory and no killable processes)/,
    end: /^(?:Memory cgroup o|O)ut of memory: Kill/,
    begins: ['Memory cgroup out of memory: ', 'Out of memory'],
    has: [' invoked oom-killer: '],
    quietMs: QUIET_MS,
  },
  {
    name: 'softLockup',
    code: 'GUEST_HUNG',
    what: 'hangs: a CPU is stuck in the kernel',
    byKernel: true,
    pattern: /^(?:watchdog: )?(?:BUG: (?:soft lockup|workqueue lockup)|Watchdog detected hard LOCKUP)/,
    begins: ['watchdog: BUG: ', 'BUG: ', 'watchdog: Watchdog', 'Watchdog detected'],
    quietMs: QUIET_MS,
    hint: 'An emulated CPU can fall this far behind on a busy host. Give the machine fewer CPUs, reduce the load of the host, or set `failOn: { softLockup: "allow" }`.',
  },
  {
    name: 'hungTask',
    code: 'GUEST_HUNG',
    what: 'has a task that is blocked',
    byKernel: true,
    pattern: /^INFO: task .+:\d+ blocked for more than \d+ seconds/,
    begins: ['INFO: task '],
    quietMs: QUIET_MS,
  },
  {
    name: 'rcuStall',
    code: 'GUEST_HUNG',
    what: 'hangs: a CPU blocks the kernel (an RCU stall)',
    byKernel: true,
    pattern: /^(?:rcu: )?INFO: \S+ (?:self-)?detected (?:expedited )?stalls? on CPU/,
    begins: ['rcu: INFO: ', 'INFO: rcu'],
    quietMs: QUIET_MS,
    hint: 'A CPU can fall this far behind on a busy host. Give the machine fewer CPUs, reduce the load of the host, or set `failOn: { rcuStall: "allow" }`.',
  },
  {
    name: 'emergencyShell',
    code: 'GUEST_EMERGENCY_SHELL',
    what: 'failed to boot and opened an emergency shell',
    byKernel: false,
    pattern:
      /^(?:\(initramfs\) |ALERT! .*Dropping to a shell!|Entering emergency mode\.|Generating "\/run\/initramfs\/rdsosreport\.txt"|You are in emergency mode\.|(?:Give root password|Press Enter) for maintenance|Cannot open access to console, the root account is locked|initramfs emergency recovery shell launched|You are now being dropped into an emergency shell\.|\s*An error occurred in stage 1 of the boot process|mountroot> $)/,
    end: /^\(initramfs\) |for maintenance/,
    begins: [
      '(initramfs) ',
      'ALERT! ',
      'Entering emergency mode.',
      'Generating "/run/initramfs/rdsosreport.txt"',
      'You are in emergency mode.',
      'Give root password for',
      'Press Enter for',
      'Cannot open access to console',
      'initramfs emergency recovery shell',
      'You are now being dropped into an emergency',
      'An error occurred in stage 1 of the boot',
      'mountroot> ',
    ],
    has: ['  An error occurred in stage 1 of the boot'],
    quietMs: QUIET_MS,
  },
  {
    name: 'noBootDevice',
    code: 'GUEST_NOT_BOOTED',
    what: 'found nothing to boot',
    byKernel: false,
    pattern:
      /^(?:No bootable device\b|BdsDxe: No bootable option or device was found|(?:grub )?rescue> |grub> $|Shell> $|FATAL: No bootable medium|This is not a bootable disk\.|Missing operating system|Operating [Ss]ystem (?:not found|load error)|\s*Type 'boot' and press return to continue booting)/,
    begins: [
      'No bootable device',
      'BdsDxe: No bootable',
      'grub rescue> ',
      'rescue> ',
      'FATAL: No bootable',
      'grub> ',
      'Shell> ',
      'This is not a bootable disk.',
      'Missing operating system',
      'Operating System not found',
      'Operating system ',
      "  Type 'boot' and press return to continue",
    ],
    quietMs: PANIC_QUIET_MS,
  },
  {
    name: 'watchdog',
    code: 'GUEST_HUNG',
    what: 'did not reset its watchdog in time',
    byKernel: false,
    pattern: undefined,
    begins: [],
    quietMs: QUIET_MS,
    hint: 'The program that writes to /dev/watchdog in the guest has stopped. If the test does this on purpose, set `failOn: { watchdog: "allow" }`.',
  },
]
