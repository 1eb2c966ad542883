/**
 * What a guest can print that means its test cannot succeed any more, as one table: how it is recognised, where its text
 * ends, and the code of the failure. Texts as Linux, systemd, dracut, initramfs-tools and firmware print them.
 */
import type { ErrorCode } from '../../errors.ts'

/** What is watched for. */
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
  /** What happened to the machine: `panicked`. */
  readonly what: string
  /** Whether the kernel says it, with or without its stamp; else `pattern` is looked for in the line as it is. */
  readonly byKernel: boolean
  /** Looked for in a line, of the kernel's lines in the text behind the stamp. None for events of the machine alone. */
  readonly pattern: RegExp | undefined
  /** Texts of which one begins whatever `pattern` matches, for a first search that is fast. Each below 48 characters. */
  readonly begins: readonly string[]
  /** The same for what does not begin with a known text: one of these is further on in the line. */
  readonly has?: readonly string[]
  /** The last line of its text, where there is one. */
  readonly end?: RegExp
  /** Silence after which its text is over, milliseconds before the multiplier. */
  readonly quietMs: number
  /** What to do about it; the code's own sentence when not set. */
  readonly hint?: string
}

const QUIET_MS = 250

/** Between the lines of its trace, an emulated kernel looks up symbols; what follows is the end marker or the exit. */
const PANIC_QUIET_MS = 1_000

/** The table, the gravest first: where one leads to another, the gravest names the failure. */
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
    what: 'lost its init, which crashed',
    byKernel: true,
    pattern:
      /^(?:traps: )?[^\s[]+\[1\]:? (?:segfault|general protection|trap |unhandled (?:exception|signal)|bad frame|illegal instruction)/,
    begins: [],
    quietMs: PANIC_QUIET_MS,
  },
  {
    name: 'oops',
    code: 'GUEST_OOPSED',
    what: 'met an error in its kernel (an oops)',
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
    what: 'found a bug in its kernel',
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
    what: 'hangs: a CPU is stuck in its kernel',
    byKernel: true,
    pattern: /^(?:watchdog: )?(?:BUG: (?:soft lockup|workqueue lockup)|Watchdog detected hard LOCKUP)/,
    begins: ['watchdog: BUG: ', 'BUG: ', 'watchdog: Watchdog', 'Watchdog detected'],
    quietMs: QUIET_MS,
    hint: 'On a busy host an emulated CPU can fall this far behind: give the machine fewer CPUs, the host less to do, or `failOn: { softLockup: "allow" }`.',
  },
  {
    name: 'hungTask',
    code: 'GUEST_HUNG',
    what: 'has a task that hangs',
    byKernel: true,
    pattern: /^INFO: task .+:\d+ blocked for more than \d+ seconds/,
    begins: ['INFO: task '],
    quietMs: QUIET_MS,
  },
  {
    name: 'rcuStall',
    code: 'GUEST_HUNG',
    what: 'hangs: a CPU keeps its kernel from going on (an RCU stall)',
    byKernel: true,
    pattern: /^(?:rcu: )?INFO: \S+ (?:self-)?detected (?:expedited )?stalls? on CPU/,
    begins: ['rcu: INFO: ', 'INFO: rcu'],
    quietMs: QUIET_MS,
    hint: 'On a busy host a CPU can fall this far behind: give the machine fewer CPUs, the host less to do, or `failOn: { rcuStall: "allow" }`.',
  },
  {
    name: 'emergencyShell',
    code: 'GUEST_EMERGENCY_SHELL',
    what: 'gave up its boot and opened an emergency shell',
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
      /^(?:No bootable device\b|Boot failed: not a bootable disk|BdsDxe: No bootable option or device was found|(?:grub )?rescue> |grub> $|Shell> $|FATAL: No bootable medium|This is not a bootable disk\.|Missing operating system|Operating [Ss]ystem (?:not found|load error)|\s*Type 'boot' and press return to continue booting)/,
    begins: [
      'No bootable device',
      'Boot failed: ',
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
    what: 'let its watchdog run out',
    byKernel: false,
    pattern: undefined,
    begins: [],
    quietMs: QUIET_MS,
    hint: 'Whatever wrote to /dev/watchdog in the guest has stopped doing so. Where that is the test\'s aim, give `failOn: { watchdog: "allow" }`.',
  },
]
