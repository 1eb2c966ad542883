/**
 * Files that start the guest. Process 1 is the init of busybox: it starts the console's shell with default signals and a
 * controlling terminal, reaps orphans, and handles `poweroff`, `reboot` and `halt`.
 */
import { START_AGENT } from './agent-binary.ts'
import {
  DRIVERS_PATH,
  driversScript,
  FOLLOW_DEVICES,
  FOLLOW_DEVICES_PATH,
  FOREIGN_ROOT_PATH,
  foreignRootScript,
} from './mounts.ts'

/**
 * The console shell's prompt, in clean text. It is the same in every directory.
 *
 * In the raw bytes, the escape sequences of shell integration (OSC 133) enclose it: `D;status` of the last command and `A`
 * before the prompt, `B` after it. They distinguish the prompt from the same text in echoed input or output.
 */
export const GUEST_PROMPT = 'coldboot# '

/** A file that controls the guest's start. */
export interface InitFile {
  readonly path: string
  readonly mode: number
  readonly text: string
}

/** The parts of the start that depend on the guest's options. */
export interface InitOptions {
  /** Names of modules that are loaded on every machine, in order. */
  readonly modules: readonly string[]
  /** Shell lines that add the drivers of the present devices to `$modules`. */
  readonly findDrivers: string
  /** Lines of the user, run before the console's shell starts. */
  readonly init: string
}

/** Path in the guest of the user's lines. */
const USER_INIT = '/etc/coldboot/init'

const INITTAB = `# Everything a machine needs, once; then a shell on the console, again if it is killed.
::sysinit:/etc/coldboot/boot
console::respawn:-/bin/sh -i /dev/tty
::ctrlaltdel:/bin/reboot -f
`

// The shell reads /dev/tty as a script, which keeps the terminal in line mode. busybox's line editor would take 20 ms per
// command, truncate lines at 1,020 characters, wrap the echo at 80 columns and request the cursor position (ESC [6n) at each
// prompt. A shell that reads a script prints no prompt but expands it, so the expansion prints it. "\\043" keeps the prompt
// out of the trace of \`set -x\`.
const PROFILE = `HOME=/root
PS1='$(printf "\\033]133;D;%s\\007\\033]133;A\\007coldboot\\043 \\033]133;B\\007" $? >/dev/tty)'
PS2='$(printf "> " >/dev/tty)'
# At once, without a minute of good-byes. Elsewhere than on the console, these ask init for an orderly end.
alias poweroff='poweroff -f' reboot='reboot -f' halt='halt -f'
trap 'poweroff -f' EXIT
cd
for file in /etc/profile.d/*.sh; do
  if [ -r "$file" ]; then . "$file"; fi
done
unset file OLDPWD RUNLEVEL
`

/** Content of `/etc/hosts`. */
export const HOSTS = '127.0.0.1 localhost\n::1 localhost\n'

const FSTAB = `proc /proc proc defaults 0 0
sysfs /sys sysfs defaults 0 0
devtmpfs /dev devtmpfs mode=755 0 0
tmpfs /run tmpfs mode=755 0 0
tmpfs /tmp tmpfs mode=1777 0 0
`

/** Returns the files that start the guest. The same options produce the same text. */
export function initFiles(options: InitOptions): InitFile[] {
  const { init } = options
  const text = (path: string, content: string, mode = 0o644): InitFile => ({ path, mode, text: content })
  return [
    text('etc/inittab', INITTAB),
    text('etc/fstab', FSTAB),
    text('etc/profile', PROFILE),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n'),
    text('etc/group', 'root:x:0:\ntty:x:5:\nnogroup:x:65534:\n'),
    text('etc/hosts', HOSTS),
    text('etc/coldboot/boot', bootScript(options), 0o755),
    text(FOREIGN_ROOT_PATH.slice(1), foreignRootScript(), 0o755),
    text(DRIVERS_PATH.slice(1), driversScript(options)),
    text(FOLLOW_DEVICES_PATH.slice(1), `${FOLLOW_DEVICES.join('\n')}\n`),
    ...(init === '' ? [] : [text(USER_INIT.slice(1), init.endsWith('\n') ? init : `${init}\n`)]),
  ]
}

// Prefers shell builtins, because starting a command takes some 10 ms without hardware acceleration.
function bootScript({ modules, findDrivers, init }: InitOptions): string {
  const lines = [
    '#!/bin/sh',
    // Before /proc is mounted, busybox's shell finds no command by its bare name.
    '/bin/mount -a',
    'mkdir -p -m 1777 /dev/pts /dev/shm',
    'mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts',
    'read -r name </proc/sys/kernel/hostname',
    'if [ "$name" = "(none)" ]; then echo coldboot >/proc/sys/kernel/hostname; fi',
    'ifconfig lo up',
  ]
  if (modules.length > 0 || findDrivers !== '') {
    lines.push(`modules="${modules.join(' ')}"`, findDrivers, 'if [ -n "$modules" ]; then modprobe -a $modules; fi')
  }
  lines.push('root=', `. ${FOLLOW_DEVICES_PATH}`, ...START_AGENT)
  if (init !== '') {
    lines.push(
      `sh -e ${USER_INIT} || {`,
      '  echo "coldboot: the lines of \\`init\\` failed with status $?; the machine ends here" >&2',
      '  poweroff -f',
      '}',
    )
  }
  return `${lines.join('\n')}\n`
}
