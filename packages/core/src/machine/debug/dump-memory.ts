/** Dumps the memory and the registers of a guest into a file, for crash, drgn and gdb. */
import { rm, stat, statfs, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { MachineError } from '../../errors.ts'
import { formatDuration } from '../../format-duration.ts'
import { startTimer, stopTimer } from '../../host/clock.ts'
import { type CheckTable, checkTable, isDuration, oneOf, wholeNumber } from '../../options/checked-options.ts'
import { checkPath, requireDirectory } from '../../options/required-path.ts'
import type { QmpClient, QmpEvent } from '../../qemu/qmp.ts'
import { requirePower } from '../power/power-actions.ts'
import type { RunningMachine } from '../running-machine.ts'

/** Options of `VM.dumpMemory`. */
export interface DumpOptions {
  /**
   * `kdump`: compressed, with the physical memory, for crash and drgn. `elf`: as large as the memory, with the virtual
   * addresses of the kernel, for gdb. A QEMU without kdump writes ELF. @default 'kdump'
   */
  readonly format?: 'kdump' | 'elf' | undefined
  /** Largest size of the dump, bytes. A larger dump is removed. @default 1_073_741_824 (1 GiB) */
  readonly maxBytes?: number | undefined
  /** Timeout, milliseconds, before the multiplier. @default 60_000 */
  readonly timeout?: number | undefined
}

const CHECKS: CheckTable<Required<DumpOptions>> = {
  format: oneOf(['kdump', 'elf']),
  maxBytes: wholeNumber(1024, Number.MAX_SAFE_INTEGER),
  timeout: isDuration,
}

const MAX_BYTES = 2 ** 30
const TIMEOUT_MS = 60_000

/** Formats of QEMU, the preferred one first. Tools read the raw format without conversion. */
const KDUMP_FORMATS = ['kdump-raw-zlib', 'kdump-zlib']

/**
 * See `VM.dumpMemory`.
 *
 * @returns size of the file, bytes
 * @throws MachineError `DUMP_FAILED`, `MACHINE_EXITED`; OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`
 */
export async function dumpMemory(running: RunningMachine, file: string, options: DumpOptions = {}): Promise<number> {
  checkTable('dumpMemory', options, CHECKS)
  checkPath('dumpMemory: file', file)
  requireDirectory('dumpMemory: directory', dirname(file))
  return running.turns.run(() => dump(running, file, options))
}

async function dump(running: RunningMachine, file: string, options: DumpOptions): Promise<number> {
  requirePower(running)
  const { machine, spec } = running
  const { maxBytes = MAX_BYTES, timeout = TIMEOUT_MS } = options
  const path = resolve(file)
  await requireSpace(path, Math.min(spec.memoryMib * 2 ** 20, maxBytes))
  const format = options.format === 'elf' ? undefined : await kdumpFormat(machine.qmp)
  // QEMU keeps the mode of an existing file.
  await writeFile(path, '', { mode: 0o600 })
  try {
    await dumped(machine.qmp, timeout * spec.timeoutMultiplier, {
      // Only ELF can contain virtual addresses.
      paging: options.format === 'elf',
      protocol: `file:${path}`,
      detach: true,
      ...(format === undefined ? {} : { format }),
    })
    const { size } = await stat(path)
    if (size > maxBytes) throw failed(`the file has ${size} bytes, more than \`maxBytes\` (${maxBytes})`)
    return size
  } catch (error) {
    await rm(path, { force: true })
    throw error
  }
}

/** Checks the free space, because QEMU would fill the disk. */
async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path))
  if (bavail * bsize < bytes)
    throw failed(`${dirname(path)} does not have the ${bytes} bytes of free space that the dump may need`)
}

/** The preferred kdump format of QEMU. @returns undefined if it supports none for this guest, so that it writes ELF */
async function kdumpFormat(qmp: QmpClient): Promise<string | undefined> {
  const { formats } = (await qmp.execute('query-dump-guest-memory-capability')) as { formats: readonly string[] }
  return KDUMP_FORMATS.find((format) => formats.includes(format))
}

/** Runs the dump and waits for its end. QEMU stops the guest meanwhile, and resumes it after it has reported the end. */
async function dumped(qmp: QmpClient, timeoutMs: number, dump: Readonly<Record<string, unknown>>): Promise<void> {
  const { promise, resolve: done, reject } = Promise.withResolvers<void>()
  promise.catch(() => {})
  const { running: resumes } = (await qmp.execute('query-status')) as { readonly running: boolean }
  let settle: (() => void) | undefined
  using _listener = qmp.onEvent(({ event, data }: QmpEvent) => {
    if (event === 'DUMP_COMPLETED') {
      const { error } = data
      settle = () =>
        error === undefined ? done() : reject(failed(typeof error === 'string' ? error : 'QEMU gives no reason'))
    }
    if (event === 'RESUME' || !resumes) settle?.()
  })
  const late = (): void => reject(failed(`it takes longer than ${formatDuration(timeoutMs)}`))
  const timer = startTimer(late, timeoutMs)
  // If QEMU ends after it accepted the command, it sends no event.
  qmp.unanswered('dump-guest-memory').catch(reject)
  try {
    await qmp.execute('dump-guest-memory', dump)
    await promise
  } finally {
    stopTimer(timer)
  }
}

function failed(why: string): MachineError {
  return new MachineError('DUMP_FAILED', `The memory of the guest could not be dumped: ${why}`)
}
