/** Entropy source for the guest. Without one, a boot may wait long for entropy. */
import { ARCHITECTURES } from '../options/architecture.ts'
import type { Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'

/** Adds a virtio random number generator, `/dev/hwrng` in the guest, with data from `/dev/urandom` of the host. */
export function virtioRandom(): Device {
  return {
    name: 'virtioRandom',
    portable: { kind: 'virtioRandom', options: {} },
    qemuArgs(context) {
      const rng = context.id('rng')
      const model = `virtio-rng-${ARCHITECTURES[context.arch].virtioTransport}`
      return [
        '-object',
        optionString('rng-random', { id: rng, filename: '/dev/urandom' }),
        '-device',
        optionString(model, { rng }),
      ]
    },
  }
}
