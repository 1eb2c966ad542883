/** Checks of VMOptions, one a key: the table is the list of known options. */
import { closestMatch } from 'leven'
import { ARCHITECTURES } from './architecture.ts'
import type { Device } from './devices/device.ts'
import { ACCELERATORS } from './environment.ts'
import { OptionError } from './errors.ts'
import type { VMOptions } from './options.ts'

/** Says what an option must be when its value is not that. */
type Check = readonly [expected: string, accepts: (value: unknown) => boolean]

const isString = (value: unknown): value is string => typeof value === 'string'
// A NUL ends an argument early; a line break would end a kernel argument and start another in some boot protocols.
const isLine = (value: unknown): boolean => isString(value) && value !== '' && !/[\0\r\n]/.test(value)
const isPath: Check = ['a path', (value) => isString(value) && value !== '' && !value.includes('\0')]
const isFlag: Check = ['true or false', (value) => typeof value === 'boolean']
const isDuration: Check = [
  'a number of milliseconds above 0',
  (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
]
const oneOf = (names: readonly string[]): Check => [
  `one of ${names.join(', ')}`,
  (value) => isString(value) && names.includes(value),
]
const isWritable = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'write' in value && typeof value.write === 'function'

const MEMORY = /^(\d+)([MG])(?:i?B)?$/

const CHECKS: Readonly<Record<keyof VMOptions, Check>> = {
  name: [
    '1 to 64 letters, digits, “.”, “_”, “-”, the first a letter or digit',
    (value) => isString(value) && /^[A-Za-z0-9][\w.-]{0,63}$/.test(value),
  ],
  arch: oneOf(Object.keys(ARCHITECTURES)),
  qemu: [
    'a path or a list of strings, the first a path',
    (value) =>
      Array.isArray(value) ? value.length > 0 && value.every(isString) && isPath[1](value[0]) : isPath[1](value),
  ],
  machine: ['a QEMU machine type', isLine],
  cpu: ['a QEMU CPU model', isLine],
  cpus: [
    'a whole number from 1 to 255',
    (value) => Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 255,
  ],
  memory: ['a size such as "256M" or "2G"', (value) => isString(value) && MEMORY.test(value) && memoryMibOf(value) > 0],
  accelerator: oneOf(ACCELERATORS),
  kernel: isPath,
  initramfs: isPath,
  kernelArgs: [
    'a string or a list of strings without line breaks',
    (value) => [value].flat().every((word) => isString(word) && !/[\0\r\n]/.test(word)),
  ],
  firmware: isPath,
  devices: ['a list of devices', (value) => Array.isArray(value) && value.every(isDevice)],
  serialOutput: ['a writable stream or a list of them', (value) => [value].flat().every(isWritable)],
  logFile: isPath,
  timeout: isDuration,
  bootTimeout: isDuration,
  timeoutMultiplier: ['a number above 0', isDuration[1]],
  ready: [
    'a string that is not empty, or a regular expression',
    (value) => (isString(value) ? value !== '' : value instanceof RegExp),
  ],
  allowReboot: isFlag,
  sandbox: isFlag,
  signal: ['an AbortSignal', (value) => typeof value === 'object' && value !== null && 'aborted' in value],
}

/**
 * @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with what the option must be
 */
export function checkOptions(options: VMOptions): void {
  for (const [key, value] of Object.entries(options)) {
    const check = Object.hasOwn(CHECKS, key) ? CHECKS[key as keyof VMOptions] : undefined
    if (check === undefined) {
      const suggestion = closestMatch(key, Object.keys(CHECKS), { maxDistance: 3 })
      throw new OptionError(
        'UNKNOWN_OPTION',
        `Unknown option \`${key}\`${suggestion ? `; did you mean \`${suggestion}\`?` : ''}`,
        {
          hint: `The options are ${Object.keys(CHECKS).join(', ')}.`,
        },
      )
    }
    if (value !== undefined && !check[1](value)) {
      throw new OptionError('INVALID_OPTION', `\`${key}\` must be ${check[0]}, and is ${printable(value)}`)
    }
  }
}

/** `'2G'` → 2048, MiB. The text has passed its check. */
export function memoryMibOf(memory: string): number {
  const [, number = '0', unit] = MEMORY.exec(memory) ?? []
  return Number(number) * (unit === 'G' ? 1024 : 1)
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

function printable(value: unknown): string {
  return typeof value === 'function' ? 'a function' : (JSON.stringify(value) ?? String(value))
}
