/** Panic notifier: reports a panic of the guest kernel to QEMU. */
import { ARCHITECTURES } from '../options/architecture.ts'
import type { Device } from './device.ts'

/**
 * Adds a panic notifier. After a panic, the machine ends with the reason `guest-panic`, and the console has the whole
 * text of the panic. The guest kernel needs `pvpanic-pci` (CONFIG_PVPANIC_PCI). On s390x, no device is needed.
 */
export function pvpanic(): Device {
  return {
    name: 'pvpanic',
    portable: { kind: 'pvpanic', options: {} },
    claims: ['device:pvpanic'],
    qemuArgs: ({ arch }) => (ARCHITECTURES[arch].virtioTransport === 'ccw' ? [] : ['-device', 'pvpanic-pci']),
  }
}
