/** Checks of MachineOptions, one per key. Unknown options are rejected. */
import { types } from 'node:util'
import { type GuestFailureOptions, isCustomFailures } from '../console/incident/guest-failure-options.ts'
import { type GuestFailureName, INCIDENT_KINDS } from '../console/incident/incident-kinds.ts'
import type { LogFile } from '../console/log/log-file.ts'
import type { TerminalOptions } from '../console/terminal/terminal.ts'
import type { Device } from '../devices/device.ts'
import { ACCELERATORS } from '../host/environment.ts'
import { isArchitecture } from '../options/architecture.ts'
import {
  type Check,
  type CheckTable,
  checkTable,
  isDuration,
  isFlag,
  isLine,
  isMemorySize,
  isPath,
  isSignal,
  isString,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import type { MachineOptions } from './machine-options.ts'
import type { VmcoreFile } from './vmcore-file.ts'

const isWritable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function'

const SETTING = oneOf(['fail', 'allow'])

/** Also used for log files, where a smaller limit has no space for the note that the log is incomplete. */
const VMCORE_CHECKS: CheckTable<Required<VmcoreFile>> = {
  path: isPath,
  maxBytes: wholeNumber(1024, Number.MAX_SAFE_INTEGER),
}

const LOG_FILE_CHECKS: CheckTable<Required<LogFile>> = {
  ...VMCORE_CHECKS,
  filter: ['a function', (value) => typeof value === 'function'],
}

const TERMINAL_CHECKS: CheckTable<Required<TerminalOptions>> = {
  columns: wholeNumber(1, 1000),
  lines: wholeNumber(1, 1000),
}

const FAIL_ON_CHECKS: CheckTable<Required<GuestFailureOptions>> = {
  ...(Object.fromEntries(INCIDENT_KINDS.map(({ name }) => [name, SETTING])) as Record<GuestFailureName, Check>),
  custom: ['a list of { name, pattern }, with names and patterns of its own that are not empty', isCustomFailures],
  systemMap: isPath,
}

/** Whether a pattern matches the console before anything is printed. */
function matchesAtOnce({ source, flags }: RegExp): boolean {
  return new RegExp(source, flags.replaceAll(/[gy]/g, '')).test('')
}

/** One check for each option of a machine. */
export const VM_CHECKS: CheckTable<Required<MachineOptions>> = {
  name: [
    '1 to 64 letters, digits, ".", "_", "-", starting with a letter or digit',
    (value) => isString(value) && /^[A-Za-z0-9][\w.-]{0,63}$/.test(value),
  ],
  arch: isArchitecture,
  qemu: [
    'a path, or a list of strings that starts with a path',
    (value) =>
      Array.isArray(value) ? value.length > 0 && value.every(isString) && isPath[1](value[0]) : isPath[1](value),
  ],
  machine: ['a QEMU machine type', isLine],
  cpu: ['a QEMU CPU model', isLine],
  cpus: wholeNumber(1, 255),
  memory: isMemorySize,
  accelerator: oneOf(ACCELERATORS),
  kernel: isPath,
  initramfs: isPath,
  kernelArgs: [
    'a string or a list of strings without line breaks',
    (value) => [value].flat().every((word) => isString(word) && !/[\0\r\n]/.test(word)),
  ],
  firmware: isPath,
  firmwareOnConsole: isFlag,
  devices: [
    'a list of devices, such as the result of `virtioRandom()`',
    (value) => Array.isArray(value) && value.every(isDevice),
  ],
  serialOutput: ['a writable stream or a list of them', (value) => [value].flat().every(isWritable)],
  logFile: ['a path, or { path, maxBytes, filter }', (value) => isPathOr('logFile', value, LOG_FILE_CHECKS)],
  terminal: ['true, false, or { columns, lines }', isTerminal],
  observer: ['a function', (value) => typeof value === 'function'],
  timeout: isDuration,
  bootTimeout: isDuration,
  timeoutMultiplier: ['a number above 0', isDuration[1]],
  ready: [
    'a string that is not empty, or a regular expression that does not match an empty text',
    (value) => (isString(value) ? value !== '' : types.isRegExp(value) && !matchesAtOnce(value)),
  ],
  failOn: ["an object, such as { panic: 'allow' }", isFailOn],
  allowReboot: isFlag,
  sandbox: isFlag,
  agent: isFlag,
  guestAgent: isFlag,
  gdb: isFlag,
  vmcore: ['a path, or { path, maxBytes }', (value) => isPathOr('vmcore', value, VMCORE_CHECKS)],
  aroundDebug: ['a function', (value) => typeof value === 'function'],
  signal: isSignal,
}

/**
 * @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with the expected value
 */
export function checkOptions(options: MachineOptions): void {
  checkTable('', options, VM_CHECKS)
}

function isFailOn(value: unknown): boolean {
  return isObjectOf('failOn', value, FAIL_ON_CHECKS)
}

/** @throws OptionError that names the key in the option */
function isObjectOf<Options extends object>(
  option: string,
  value: unknown,
  checks: CheckTable<Required<Options>>,
): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  checkTable(option, value as Options, checks)
  return true
}

/** @throws OptionError as {@link isObjectOf} */
function isPathOr<Options extends { readonly path: string }>(
  option: string,
  value: unknown,
  checks: CheckTable<Required<Options>>,
): boolean {
  return isPath[1](value) || (isObjectOf(option, value, checks) && isPath[1](Object(value).path))
}

function isDevice(value: unknown): value is Device {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    isString(value.name) &&
    'qemuArgs' in value &&
    typeof value.qemuArgs === 'function'
  )
}

function isTerminal(value: unknown): boolean {
  return typeof value === 'boolean' || isObjectOf('terminal', value, TERMINAL_CHECKS)
}
