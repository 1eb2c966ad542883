/** Takes screenshots of a machine's displays at the end of a test. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Device, Display, VM } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'

/** Longest wait for a screenshot, milliseconds, because QEMU may hang. */
const TIMEOUT_MS = 5_000

/** Writes `screen.png`, and `screen-2.png` and so on for further displays. @returns missing files: name → reason */
export async function takeScreenshots(
  vm: VM,
  directory: string,
  maxBytes: number,
): Promise<Readonly<Record<string, string>>> {
  const missing: Record<string, string> = {}
  if (vm.state !== 'running') return missing
  for (const [index, display] of displaysOf(vm).entries()) {
    const name = `screen${index === 0 ? '' : `-${index + 1}`}.png`
    try {
      const png = await soon(display.of(vm).screenshot())
      if (png.length <= maxBytes) writeFileSync(join(directory, name), png, { mode: 0o600 })
      else missing[name] = `left out: its size is ${png.length} bytes`
    } catch (error) {
      missing[name] = `could not be taken: ${messageOf(error)}`
    }
  }
  return missing
}

async function soon<Value>(promise: Promise<Value>): Promise<Value> {
  const timer = new AbortController()
  const late = sleep(TIMEOUT_MS, undefined, { signal: timer.signal }).then(() => {
    throw new Error(`QEMU did not answer within ${TIMEOUT_MS} ms`)
  })
  late.catch(() => {})
  try {
    return await Promise.race([promise, late])
  } finally {
    timer.abort()
  }
}

/** The displays among the devices of a machine. */
export function displaysOf(vm: VM): readonly Display[] {
  return vm.spec.devices.filter(isDisplay)
}

// Checks by shape, because a worker may load two copies of the package.
function isDisplay(device: Device): device is Display {
  return device.name === 'display' && 'screenshot' in device
}
