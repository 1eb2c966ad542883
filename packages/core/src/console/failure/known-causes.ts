/** Table of guest and firmware messages that explain why a wait has failed. */

/** Each message with its explanation. `$1` is the first group of the pattern. */
const CAUSES: readonly (readonly [pattern: RegExp, sentence: string])[] = [
  [
    /Initramfs unpacking failed: (.*)/,
    'The kernel could not unpack the initramfs ($1): it is damaged or truncated, or the kernel does not support its compression.',
  ],
  [
    /Failed to execute (\S+) \(error -8\)/,
    '$1 cannot run on this machine (ENOEXEC): it is built for another architecture, or it is a script without `#!`.',
  ],
  [/Failed to execute (\S+) \(error -13\)/, '$1 is not executable (EACCES): set its mode to 755 in the initramfs.'],
  [
    /Failed to execute (\S+) \(error -2\)/,
    '$1, or the interpreter or dynamic linker that it needs, is not in the initramfs (ENOENT).',
  ],
  [
    /Requested init (\S+) failed \(error (-\d+)\)/,
    'The kernel cannot run `init=$1` (error $2): the program does not exist or is not executable.',
  ],
  [
    /Kernel panic - not syncing: No working init found/,
    'The root file system has no /init or /sbin/init that runs. An initramfs needs an executable /init, with its interpreter and libraries.',
  ],
  [
    /VFS: Unable to mount root fs on (\S+)/,
    'The kernel has no root file system ($1): set `initramfs` to an archive with an /init, or set `root=` to a disk whose driver is built into the kernel.',
  ],
  [
    /\S+\[1\](?::| )[^\n]*(?:segfault|general protection|unhandled)/,
    'The first program (init, process 1) crashed, and the kernel cannot continue without it.',
  ],
  [
    /Attempted to kill init! exitcode=0x0000([0-9a-f]{2})00/,
    'The first program (init, process 1) exited with status 0x$1. It must run as long as the machine does.',
  ],
  [
    /Attempted to kill init! exitcode=0x000000([0-9a-f]{2})/,
    'The first program (init, process 1) was killed by signal 0x$1.',
  ],
  [/System is deadlocked on memory/, 'The kernel itself ran out of memory: give the machine more `memory`.'],
  [/sysrq triggered crash/, 'A program in the guest wrote "c" to /proc/sysrq-trigger, which causes a panic.'],
  [
    /Out of memory: Killed process \d+ \(([^)]+)\)/,
    'The kernel killed "$1" because memory ran out: give the machine more `memory`, or make "$1" use less.',
  ],
  [
    /Gave up waiting for (?:root|suspend)[^\n]*/,
    'The disk of `root=` did not appear: the initramfs lacks its driver, or it has another name.',
  ],
  [/No bootable device|not a bootable disk/, 'The disk has no boot loader for this firmware.'],
  [/modprobe: (?:FATAL: )?[Mm]odule (\S+) not found/, 'The guest has no kernel module "$1".'],
  [
    /unknown filesystem type '?(\w+)|mount: mounting \S+ on \S+ failed: No such device/,
    "The guest's kernel does not support the file system: load its module, or use a kernel that has it.",
  ],
  [/9pnet_virtio: no channels available for device (\S+)/, 'The machine has no shared directory with the tag "$1".'],
  [/No space left on device/, 'A file system in the guest is full: "No space left on device".'],
  [/Read-only file system/, 'A program in the guest tried to write to a read-only file system.'],
  [
    /coldboot: the lines of `init` failed with status (\d+)/,
    'A line of `init` failed with status $1. The output before it shows which.',
  ],
  [
    /coldboot: channel \S+ is not there/,
    'The kernel has no driver for virtio consoles, which the agent uses (CONFIG_VIRTIO_CONSOLE). A kernel of a distribution has it as a module: pass its modules to `kernelOf`, for example `{ vmlinuz, modules: "/lib/modules/6.1.0-57-amd64" }`, or its package as `deb`.',
  ],
  [/(?:^|: )([\w./-]+): (?:command )?not found$/m, 'The guest has no command "$1".'],
  [/Login incorrect/, 'The guest refused the login.'],
  [/Permission denied/, 'The guest refused an operation: "Permission denied".'],
]

/** Length of the end of the text that is searched, characters. */
const CHARACTERS = 32_768

/** The explanation of the first row of the table whose message occurs in the text. */
export function knownCause(text: string): string | undefined {
  const end = text.slice(-CHARACTERS)
  for (const [pattern, sentence] of CAUSES) {
    const match = pattern.exec(end)
    if (match !== null) return sentence.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? '')
  }
  return undefined
}
