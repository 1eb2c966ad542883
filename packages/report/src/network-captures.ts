/** The frames of a machine's network cards, in files that Wireshark and tcpdump open. */
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Capture, Device, NetworkNic } from '@coldboot/core'

/** The captures of one machine: `network.pcapng` of its first card, `network-2.pcapng` of the second, and so on. */
export class NetworkCaptures {
  readonly #captures: readonly Capture[]

  /** Begins to write. A card of a network that is closed is left out. */
  constructor(devices: readonly Device[], directory: string, maxBytes: number) {
    this.#captures = devices.filter(isNic).flatMap((nic, index) => {
      const file = join(directory, `network${index === 0 ? '' : `-${index + 1}`}.pcapng`)
      // An older capture may still be writing there: it keeps its file, which has no name any more.
      rmSync(file, { force: true })
      try {
        return [nic.capture(file, { maxBytes })]
      } catch {
        return []
      }
    })
  }

  /** Whether there is a network to capture. */
  static concern(devices: readonly Device[]): boolean {
    return devices.some(isNic)
  }

  /** Completes the files; resolves with what is missing in them, by name. Never rejects. */
  async stop(): Promise<Readonly<Record<string, string>>> {
    const missing: Record<string, string> = {}
    for (const capture of this.#captures) {
      try {
        await capture.stop()
        if (capture.dropped > 0) missing[basename(capture.file)] = `${capture.dropped} frames are left out`
      } catch (error) {
        missing[basename(capture.file)] = `not whole: ${error instanceof Error ? error.message : String(error)}`
      }
    }
    return missing
  }
}

// By its looks: a test may have loaded another copy of the package.
function isNic(device: Device): device is NetworkNic {
  return device.name === 'network.nic()' && 'capture' in device
}
