/** What guests and firmware print that explains, to who knows it, why something awaited never came: as one table. */

/** A cause: what is printed, and the sentence for a reader. `$1` is the first group. */
const CAUSES: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [
    /Initramfs unpacking failed: (.*)/,
    'The kernel could not unpack the initramfs ($1): it is damaged, cut short, or compressed in a way this kernel does not know.',
  ],
  [
    /Failed to execute (\S+) \(error -8\)/,
    '$1 is no program for this machine (ENOEXEC): built for another architecture, or a script without `#!`.',
  ],
  [/Failed to execute (\S+) \(error -13\)/, '$1 is not executable (EACCES): set its mode to 755 in the initramfs.'],
  [
    /Failed to execute (\S+) \(error -2\)/,
    '$1, or the interpreter or dynamic linker that it needs, is not in the initramfs (ENOENT).',
  ],
  [
    /Requested init (\S+) failed \(error (-\d+)\)/,
    'The kernel was told `init=$1` and cannot run it (error $2): no such program, or not executable.',
  ],
  [
    /Kernel panic - not syncing: No working init found/,
    'The root file system has no /init or /sbin/init that runs. In an initramfs it must be /init, executable, with its interpreter and libraries.',
  ],
  [
    /VFS: Unable to mount root fs on (\S+)/,
    'The kernel has no root file system ($1): give `initramfs` one with an /init, or name the disk in `root=`, with its driver built into the kernel.',
  ],
  [
    /\S+\[1\](?::| )[^\n]*(?:segfault|general protection|unhandled)/,
    'The first program (init, process 1) crashed, and without it the kernel cannot go on.',
  ],
  [
    /Attempted to kill init! exitcode=0x0000([0-9a-f]{2})00/,
    'The first program (init, process 1) ended, with status 0x$1. It must run for as long as the machine does.',
  ],
  [
    /Attempted to kill init! exitcode=0x000000([0-9a-f]{2})/,
    'The first program (init, process 1) was killed by signal 0x$1.',
  ],
  [/System is deadlocked on memory/, 'Not even the kernel found memory: give the machine more `memory`.'],
  [/sysrq triggered crash/, 'Something in the guest wrote "c" to /proc/sysrq-trigger, which asks for a panic.'],
  [
    /Out of memory: Killed process \d+ \(([^)]+)\)/,
    'The kernel killed "$1" for want of memory: give the machine more `memory`, or "$1" less to do.',
  ],
  [
    /Gave up waiting for (?:root|suspend)[^\n]*/,
    'The disk named in `root=` did not appear: its driver is missing in the initramfs, or it has another name.',
  ],
  [/No bootable device|not a bootable disk/, 'The disk has no boot loader for this firmware.'],
  [/modprobe: (?:FATAL: )?[Mm]odule (\S+) not found/, 'The guest has no kernel module "$1".'],
  [
    /unknown filesystem type '?(\w+)|mount: mounting \S+ on \S+ failed: No such device/,
    "The guest's kernel does not know the file system: load its module, or take a kernel that has it.",
  ],
  [/9pnet_virtio: no channels available for device (\S+)/, 'The machine has no shared directory with the tag "$1".'],
  [/No space left on device/, 'A file system in the guest is full: "No space left on device".'],
  [/Read-only file system/, 'Something was to be written to a read-only file system.'],
  [
    /coldboot: the lines of `init` failed with status (\d+)/,
    'A line of `init` failed with status $1; the lines before say which.',
  ],
  [/(?:^|: )([\w./-]+): (?:command )?not found$/m, 'The guest has no command "$1".'],
  [/Login incorrect/, 'The guest refused the login.'],
  [/Permission denied/, 'Something was refused in the guest: "Permission denied".'],
]

/** Text looked at, from its end. */
const CHARACTERS = 32_768

/** The first of the table's causes that the text tells of. */
export function knownCause(text: string): string | undefined {
  const end = text.slice(-CHARACTERS)
  for (const [pattern, sentence] of CAUSES) {
    const match = pattern.exec(end)
    if (match !== null) return sentence.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '')
  }
  return undefined
}
