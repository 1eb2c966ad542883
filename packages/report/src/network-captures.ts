/** Captures the frames of a machine's network cards into files for Wireshark and tcpdump. */

import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Capture, Device, NetworkNic } from '@coldboot/core'
import { messageOf } from '@coldboot/core/internal'

/** The captures of one machine: `network.pcapng` for its first card, `network-2.pcapng` for the second, and so on. */
export class NetworkCaptures {
  readonly #captures: readonly Capture[]

  /** Starts the captures. Skips cards of closed networks. */
  constructor(devices: readonly Device[], directory: string, maxBytes: number) {
    this.#captures = devices.filter(isNic).flatMap((nic, index) => {
      const file = join(directory, `network${index === 0 ? '' : `-${index + 1}`}.pcapng`)
      // Unlinks the file first, because an older capture may still be writing to it.
      rmSync(file, { force: true })
      try {
        return [nic.capture(file, { maxBytes })]
      } catch {
        return []
      }
    })
  }

  /** Whether there is a network card to capture. */
  static concern(devices: readonly Device[]): boolean {
    return devices.some(isNic)
  }

  /** Completes the files. Never rejects. @returns incomplete files: name → reason */
  async stop(): Promise<Readonly<Record<string, string>>> {
    const missing: Record<string, string> = {}
    for (const capture of this.#captures) {
      try {
        await capture.stop()
        if (capture.dropped > 0) missing[basename(capture.file)] = `${capture.dropped} frames are left out`
      } catch (error) {
        missing[basename(capture.file)] = `incomplete: ${messageOf(error)}`
      }
    }
    return missing
  }
}

// Checks by shape, because a worker may load two copies of the package.
function isNic(device: Device): device is NetworkNic {
  return device.name === 'network.nic()' && 'capture' in device
}
