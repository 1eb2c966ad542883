/**
 * Tells QEMU at once when the guest's kernel panics. Without it, a guest that panics and does not reboot just stops
 * talking, and a test waits out its whole timeout.
 */
import { ARCHITECTURES } from '../options/architecture.ts'
import type { Device } from './device.ts'

/**
 * A panic notifier: the machine then ends with the reason `guest-panic`, all of the panic's text on the console. The
 * guest's kernel needs `pvpanic-pci` (CONFIG_PVPANIC_PCI). An s390x reports a panic by itself and gets no device.
 */
export function pvpanic(): Device {
  return {
    name: 'pvpanic',
    portable: { kind: 'pvpanic', options: {} },
    claims: ['device:pvpanic'],
    qemuArgs: ({ arch }) => (ARCHITECTURES[arch].virtioTransport === 'ccw' ? [] : ['-device', 'pvpanic-pci']),
  }
}
