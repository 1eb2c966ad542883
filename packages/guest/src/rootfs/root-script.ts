/**
 * Shell script that is process 1 of a machine with a root file system of the user. It mounts the root and starts the agent in
 * it. Then it executes the root's own init, or runs one command, or shells on the console.
 */
import { AGENT_PATH, AGENT_PORT } from '../agent-binary.ts'
import { GUEST_PROMPT } from '../init-script.ts'
import { DRIVERS_PATH, FOLLOW_DEVICES_PATH } from '../mounts.ts'

/** Path of the script in the initramfs. */
export const ROOT_SCRIPT_PATH = 'etc/coldboot/rootfs'

/** Directory of the initramfs that contains a root file system in memory. */
export const ROOT_FOLDER = 'rootfs'

/** Serial number of the disk with the root file system. */
export const ROOT_SERIAL = 'coldboot-root'

/** Console text that reports the end of the command. The exit status follows it. */
export const COMMAND_ENDED = 'coldboot: the command ended with status '

/** A command with its directory and user. */
export interface RootCommand {
  /** The program by its path in the root, then its arguments. */
  readonly argv: readonly string[]
  /** Path in the root, without links. */
  readonly directory: string
  readonly uid: number
  readonly gid: number
}

/** The first program of the root. */
export type RootStart =
  | { readonly kind: 'init'; readonly argv: readonly string[] }
  | { readonly kind: 'command'; readonly command: RootCommand }
  | { readonly kind: 'shell' }

/** The parts of the script that depend on the root. */
export interface RootScriptOptions {
  /** Lines that mount the root at `/newroot`. */
  readonly mount: readonly string[]
  readonly start: RootStart
  /** Environment of the command, of shells, and of commands that the agent runs. */
  readonly env: Readonly<Record<string, string>>
  /** Home directory of root, a path in the root. */
  readonly home: string
  readonly writable: boolean
}

/** Shell lines that mount a root in the initramfs. */
export function mountFolder(writable: boolean): readonly string[] {
  return [
    `mount --bind /${ROOT_FOLDER} /newroot`,
    ...(writable ? [] : ['mount -o remount,bind,ro /newroot || fail "The root cannot be made read-only"']),
  ]
}

/** Shell lines that mount a root on a disk. Writes go to memory. */
export function mountDisk(writable: boolean): readonly string[] {
  return [
    'find_disk() {',
    '  for each in /sys/block/*/serial; do',
    '    serial=',
    '    [ -r "$each" ] && read -r serial <"$each"',
    `    if [ "$serial" = ${ROOT_SERIAL} ]; then each=\${each%/serial}; disk=/dev/\${each##*/}; return 0; fi`,
    '  done',
    '  return 1',
    '}',
    // A disk can appear some time after its driver was loaded.
    'tries=0; until find_disk && [ -b "$disk" ] || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done',
    ...(writable
      ? ['mkdir /lower', ...mountErofs('/lower'), ...overlay('/lower', '/newroot')]
      : mountErofs('/newroot')),
  ]
}

function mountErofs(where: string): readonly string[] {
  return [`mount -t erofs -o ro "$disk" ${where} || fail "The disk with the root cannot be mounted"`]
}

/** Shell lines that mount a directory with a writable layer in memory over it. The first use mounts `/layer`. */
export function overlay(lower: string, where: string): readonly string[] {
  return [
    'if ! [ -d /layer ]; then mkdir /layer; mount -t tmpfs -o mode=755 tmpfs /layer; fi',
    `mkdir -p /layer/upper${where} /layer/work${where}`,
    `mount -t overlay -o ${quoted(`lowerdir=${lower},upperdir=/layer/upper${where},workdir=/layer/work${where}`)} root ${quoted(where)} ||`,
    `  fail 'The layer over the root cannot be mounted'`,
  ]
}

/** Returns the script. The same options produce the same text. */
export function rootScript(options: RootScriptOptions): string {
  const { mount, start } = options
  return `${[
    '#!/bin/sh',
    '/bin/mount -t proc proc /proc',
    'mount -t sysfs sysfs /sys',
    'mount -t devtmpfs devtmpfs /dev',
    'fail() { echo "coldboot: $1; the machine ends here" >&2; poweroff -f; }',
    `. ${DRIVERS_PATH}`,
    'mkdir /newroot',
    ...mount,
    // Not switch_root, because this process needs the programs of the initramfs. Moving the mount over / avoids a chroot, in
    // which the kernel would refuse to create user namespaces.
    'cd /newroot && mount --move . / || fail "The root cannot be mounted"',
    'root=.',
    'mkdir -p ./dev',
    'mount -t devtmpfs devtmpfs ./dev || fail "The root has no directory /dev"',
    'if mkdir -p ./lib/modules 2>/dev/null; then mount --bind /lib/modules ./lib/modules; fi',
    ...(start.kind === 'init' ? [] : surroundings(options)),
    `. ${FOLLOW_DEVICES_PATH}`,
    // The root does not contain the initramfs's console device. Programs could not find the name of their terminal.
    'exec <./dev/console >./dev/console 2>&1',
    ...startAgent(options),
    ...continueWith(options),
  ].join('\n')}\n`
}

/** Shell lines with the mounts and links that an init would create. */
function surroundings({ writable }: RootScriptOptions): readonly string[] {
  return [
    'mkdir -p ./proc ./sys ./dev/pts ./dev/shm',
    'mount -t proc proc ./proc',
    'mount -t sysfs sysfs ./sys',
    'mount -t cgroup2 cgroup2 ./sys/fs/cgroup 2>/dev/null',
    'mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts ./dev/pts',
    'mount -t tmpfs -o mode=1777 tmpfs ./dev/shm',
    'ln -s /proc/self/fd ./dev/fd',
    'for each in 0/stdin 1/stdout 2/stderr; do ln -s "/proc/self/fd/${each%/*}" "./dev/${each#*/}"; done',
    ...(writable ? [] : ['mount -t tmpfs -o mode=755 tmpfs ./run', 'mount -t tmpfs -o mode=1777 tmpfs ./tmp']),
    'read -r name </proc/sys/kernel/hostname',
    'if [ "$name" = "(none)" ]; then echo coldboot >/proc/sys/kernel/hostname; fi',
    'ifconfig lo up',
  ]
}

// The agent runs in the root. Its program is copied to devtmpfs, so that no file is added to the root.
function startAgent(options: RootScriptOptions): readonly string[] {
  const copy = '/dev/.coldboot/agent'
  const command = { argv: [copy, AGENT_PORT], directory: options.home, uid: 0, gid: 0 }
  return [
    `if [ -e ${AGENT_PORT} ]; then`,
    '  mkdir -p -m 700 ./dev/.coldboot',
    `  cp ${AGENT_PATH} .${copy}`,
    `  ${inRoot(options, command, { HOME: options.home, LOGNAME: 'root' })} &`,
    'fi',
  ]
}

function continueWith(options: RootScriptOptions): readonly string[] {
  const { start, home } = options
  switch (start.kind) {
    case 'init':
      return ['umount /sys /proc', `exec /bin/chroot . ${start.argv.map(quoted).join(' ')}`]
    case 'command':
      return [
        // Lets the user open the terminal by name, for example as /dev/stdout.
        ...(start.command.uid === 0 ? [] : [`chown ${start.command.uid} ./dev/console`]),
        `setsid -c ${inRoot(options, start.command, {})}`,
        'status=$?',
        // Waits until the console has printed all output.
        'stty sane',
        'echo',
        `echo "${COMMAND_ENDED}$status"`,
        'stty sane',
        'poweroff -f',
      ]
    case 'shell': {
      const command = { argv: ['/bin/sh', '-i'], directory: home, uid: 0, gid: 0 }
      return [
        'while :; do',
        `  setsid -c ${inRoot(options, command, { HOME: home, TERM: 'linux', PS1: GUEST_PROMPT })}`,
        // A shell that was killed is started again.
        '  if [ $? -lt 128 ]; then poweroff -f; fi',
        'done',
      ]
    }
  }
}

/** Returns a shell command that runs a program in the root. */
function inRoot(
  { env }: RootScriptOptions,
  { argv, directory, uid, gid }: RootCommand,
  variables: Readonly<Record<string, string>>,
): string {
  const assignments = Object.entries({ ...env, ...variables }).map(([name, value]) => quoted(`${name}=${value}`))
  const user = uid === 0 && gid === 0 ? '' : ` -S${uid} -G${gid}`
  return `env -i ${assignments.join(' ')} /bin/nsenter -r. -w${quoted(`.${directory}`)}${user} -- ${argv.map(quoted).join(' ')}`
}

/** Quotes a text as one word of a shell script. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
