/** Passes guest failures that QEMU reports to the console. */
import type { Console } from '../console/console.ts'
import type { QmpClient } from '../qemu/qmp.ts'

/** Watchdog actions after which the guest continues. */
const HARMLESS = ['none', 'inject-nmi', 'debug']

/** Passes panics that a device reports, and a watchdog that ends or stops the guest, to the console. */
export function watchMachineEvents(qmp: QmpClient, console: Console, allowReboot: boolean): void {
  qmp.onEvent(({ event, data }) => {
    if (event === 'GUEST_PANICKED') {
      console.event('panic', "reported by the guest's pvpanic device")
    } else if (event === 'WATCHDOG') {
      const action = String(data['action'])
      if (HARMLESS.includes(action) || (action === 'reset' && allowReboot)) return
      console.event('watchdog', `QEMU then performed the action \`${action}\``)
    }
  })
}
