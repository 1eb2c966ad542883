import { VM, virtioRandom } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'

// `await using` ends the machine at the end of the block, also after an error.
await using vm = await VM.start({ ...(await linuxGuest()), devices: [virtioRandom()] })

vm.send('cat /proc/version\n')
const { groups } = await vm.expect(/Linux version (?<version>\S+)/)
console.log(`${vm.name} runs Linux ${groups['version']}`)

vm.send('poweroff -f\n')
const { reason } = await vm.waitForExit({ timeout: 20_000 })
console.log(`${vm.name} ended: ${reason}`)
