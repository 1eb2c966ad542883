/**
 * Reads the environment variables of this project, and those of other tools that it respects. They are read at each
 * call, because tests and watch processes change them.
 */
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { split } from 'shlex'
import { OptionError } from '../errors.ts'
import { requireNode } from './node-version.ts'

// Checked here, because every entry of this package loads this file first.
requireNode()

/** Names of the accelerators. */
export const ACCELERATORS: readonly ['kvm', 'hvf', 'tcg'] = ['kvm', 'hvf', 'tcg']

/** `kvm` (Linux), `hvf` (macOS), or `tcg`, the emulation of QEMU, which works everywhere. */
export type AcceleratorName = (typeof ACCELERATORS)[number]

/** Settings from the environment. Options in code take precedence. */
export interface Environment {
  /** COLDBOOT_QEMU, else UROOT_QEMU: shell words, the binary and its first arguments. */
  readonly qemu: readonly string[] | undefined
  /** COLDBOOT_TIMEOUT_MULTIPLIER: factor of every timeout. @default 1 */
  readonly timeoutMultiplier: number
  /** COLDBOOT_ACCEL: the accelerator to use without probing. */
  readonly accelerator: AcceleratorName | undefined
  /** COLDBOOT_KERNEL: path of a kernel to use instead of that of the small guest. */
  readonly kernel: string | undefined
  /** COLDBOOT_INITRAMFS: path of an initramfs to use instead of that of the small guest. */
  readonly initramfs: string | undefined
  /**
   * COLDBOOT_DEBUG: `on-failure` connects the terminal to the console of a machine whose test fails; `gdb` also stops
   * its CPUs for a debugger.
   */
  readonly debug: 'on-failure' | 'gdb' | undefined
  /** COLDBOOT_KEEP: `machine`: failed tests save their machines. */
  readonly keep: 'machine' | undefined
  /** COLDBOOT_EDITOR: the editor that the links of the report page open. */
  readonly editor: string | undefined
  /** LAUNCH_EDITOR: the command of an editor, which Vite and Vitest also read. */
  readonly launchEditor: string | undefined
  /**
   * COLDBOOT_PROGRESS_SOCKET: socket to which workers report progress. Set by the packages for test runners, not by
   * users.
   */
  readonly progressSocket: string | undefined
  /** NODE_V8_COVERAGE: folder to which Node processes write coverage. Set by tools such as Vitest and c8. */
  readonly v8CoverageDirectory: string | undefined
  /** COLDBOOT_CACHE, else `coldboot` in the user's cache folder: kernels, probes and templates kept between runs. */
  readonly cacheDirectory: string
}

/**
 * @throws OptionError `INVALID_OPTION` with the name of a variable whose value is not valid
 */
export function readEnvironment(variables: Readonly<Record<string, string | undefined>> = process.env): Environment {
  return {
    qemu: words(variables, variables['COLDBOOT_QEMU'] ? 'COLDBOOT_QEMU' : 'UROOT_QEMU'),
    timeoutMultiplier: multiplier(variables['COLDBOOT_TIMEOUT_MULTIPLIER']),
    accelerator: accelerator(variables['COLDBOOT_ACCEL']),
    kernel: variables['COLDBOOT_KERNEL'] || undefined,
    initramfs: variables['COLDBOOT_INITRAMFS'] || undefined,
    debug: word('COLDBOOT_DEBUG', variables, ['on-failure', 'gdb']),
    keep: word('COLDBOOT_KEEP', variables, ['machine']),
    editor: variables['COLDBOOT_EDITOR'] || undefined,
    launchEditor: variables['LAUNCH_EDITOR'] || undefined,
    progressSocket: variables['COLDBOOT_PROGRESS_SOCKET'] || undefined,
    v8CoverageDirectory: variables['NODE_V8_COVERAGE'] || undefined,
    cacheDirectory: cacheDirectory(variables),
  }
}

/** Warns once about each unknown `COLDBOOT_` variable. Called by the main process of a run. */
export async function warnOfUnknownVariables(): Promise<void> {
  // Loaded only when called, because workers do not need it.
  const { warnOfUnknown } = await import('./unknown-variables.ts')
  warnOfUnknown(process.env)
}

/** Sets COLDBOOT_PROGRESS_SOCKET for this process and its children. */
export function setProgressSocket(path: string | undefined): void {
  if (path === undefined) delete process.env['COLDBOOT_PROGRESS_SOCKET']
  else process.env['COLDBOOT_PROGRESS_SOCKET'] = path
}

function words(variables: Readonly<Record<string, string | undefined>>, name: string): readonly string[] | undefined {
  const value = variables[name]?.trim()
  if (!value) return undefined
  try {
    return split(value)
  } catch (cause) {
    throw new OptionError('INVALID_OPTION', `${name} cannot be split into shell words: ${value}`, {
      hint: 'Close every quote, and put quotes around a path that has blanks.',
      cause,
    })
  }
}

function multiplier(value: string | undefined): number {
  if (!value) return 1
  const number = Number(value)
  if (Number.isFinite(number) && number > 0) return number
  throw new OptionError('INVALID_OPTION', `COLDBOOT_TIMEOUT_MULTIPLIER is "${value}"`, {
    hint: 'Set it to a number above 0, such as 2.5.',
  })
}

function word<Word extends string>(
  name: string,
  variables: Readonly<Record<string, string | undefined>>,
  known: readonly Word[],
): Word | undefined {
  const value = variables[name]
  if (!value) return undefined
  const found = known.find((one) => one === value)
  if (found !== undefined) return found
  throw new OptionError('INVALID_OPTION', `${name} is "${value}"`, { hint: `Give ${known.join(' or ')}, or unset it.` })
}

function accelerator(value: string | undefined): AcceleratorName | undefined {
  if (!value) return undefined
  const known = ACCELERATORS.find((name) => name === value)
  if (known) return known
  throw new OptionError('INVALID_OPTION', `COLDBOOT_ACCEL is "${value}"`, {
    hint: `Set it to one of ${ACCELERATORS.join(', ')}.`,
  })
}

// A relative XDG_CACHE_HOME must be ignored (XDG Base Directory Specification 0.8).
function cacheDirectory(variables: Readonly<Record<string, string | undefined>>): string {
  const own = variables['COLDBOOT_CACHE']
  if (own) return own
  const xdg = variables['XDG_CACHE_HOME']
  if (xdg && isAbsolute(xdg)) return join(xdg, 'coldboot')
  return process.platform === 'darwin' ? join(homedir(), 'Library/Caches/coldboot') : join(homedir(), '.cache/coldboot')
}

/** The environment for a Node process of this project, without the debugger options of this process. */
export function environmentWithoutDebugger(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options = '' } = process.env
  return { ...process.env, NODE_OPTIONS: options.replaceAll(/(?<!\S)--inspect\S*/g, '') }
}

/**
 * Settings of the C library for QEMU: its heap uses huge pages if the kernel has them on request, because an eighth of
 * the CPU time of a start are page faults. glibc has the setting since 2.35 (manual, "Memory Allocation Tunables").
 *
 * @param environment has the user's settings, which take precedence
 */
export function glibcTunables(environment: NodeJS.ProcessEnv = process.env): string {
  const { GLIBC_TUNABLES: own = '' } = environment
  const settings = own.split(':').filter((setting) => setting !== '')
  const isSet = settings.some((setting) => setting.startsWith('glibc.malloc.hugetlb='))
  return (isSet ? settings : [...settings, 'glibc.malloc.hugetlb=1']).join(':')
}
