import { expect, test } from 'vitest'
import type { Architecture } from '../options/architecture.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { forArch } from './for-arch.ts'
import { pvpanic } from './pvpanic.ts'
import { virtioRandom } from './virtio-random.ts'

const names = (arch: Architecture, device: ReturnType<typeof forArch>) =>
  resolveOptions({ arch, firmware: 'none.bin', devices: [device] }).devices.map(({ name }) => name)

test('selects the devices of the architecture', () => {
  const device = forArch({ x86_64: [pvpanic(), virtioRandom()], aarch64: virtioRandom(), arm: [] })
  expect(names('x86_64', device)).toEqual(['pvpanic', 'virtioRandom'])
  expect(names('aarch64', device)).toEqual(['virtioRandom'])
  expect(names('arm', device)).toEqual([])
  expect(names('s390x', device)).toEqual([])
})

test('can be nested', () => {
  expect(names('i386', forArch({ i386: forArch({ i386: virtioRandom() }) }))).toEqual(['virtioRandom'])
})

test('rejects an unknown architecture', () => {
  expect(() => forArch({ x64: virtioRandom() } as object)).toThrow(
    /unknown architecture `x64`\nThe architectures are x86_64/,
  )
})
