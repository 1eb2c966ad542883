/** Machines from one template, side by side: each has its own disk, channel and serial port. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { run, silenceEcho } from '../../test/guest.ts'
import { endPrefetched } from '../prefetch.ts'
import { Template } from '../template.ts'
import { blockDevice } from './block-device.ts'
import { channel } from './channel.ts'
import { serial } from './serial.ts'
import { virtioRandom } from './virtio-random.ts'

afterEach(endPrefetched)

test('what a clone writes to its disk is its own, and its channel and port are too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const guest = await linuxGuest()
  // The template goes with the test; the guest’s kernel is kept.
  vi.stubEnv('COLDBOOT_CACHE', join(folder, 'cache'))
  onTestFinished(() => void vi.unstubAllEnvs())
  const image = join(folder, 'disk.img')
  writeFileSync(image, 'from the image\n'.padEnd(1 << 20, '\0'))
  const before = createHash('sha256').update(readFileSync(image)).digest('hex')
  const [results, port] = [channel('results'), serial()]
  const template = await Template.build(
    { ...guest, timeout: 60_000, devices: [blockDevice(image), results, port, virtioRandom()] },
    {
      prepare: async (vm) => {
        await silenceEcho(vm)
        await run(vm, "printf 'from the template' | dd of=/dev/vda bs=512 seek=1 conv=fsync 2>/dev/null")
      },
    },
  )
  const read = (sector: number, length: number) =>
    `dd if=/dev/vda bs=512 skip=${sector} count=1 2>/dev/null | head -c ${length}; echo`
  const clones = await Promise.all(['first', 'second'].map((name) => template.start({ name })))
  for (const vm of clones) onTestFinished(() => vm.close().then(() => {}))
  for (const vm of clones) {
    expect(await run(vm, read(0, 14))).toBe('from the image\n')
    expect(await run(vm, read(1, 17))).toBe('from the template\n')
    await run(vm, `printf 'by ${vm.name}' | dd of=/dev/vda bs=512 seek=1 conv=fsync 2>/dev/null`)
  }
  for (const vm of clones) {
    expect(await run(vm, read(1, 3 + vm.name.length))).toBe(`by ${vm.name}\n`)
    await run(vm, `echo '{"event":"done","by":"${vm.name}"}' >/dev/virtio-ports/results; echo "${vm.name}" >/dev/ttyS1`)
    expect(await results.of(vm).events().next()).toMatchObject({ done: true, value: { by: vm.name } })
    await port.of(vm).expect(`${vm.name}\n`)
  }
  expect(createHash('sha256').update(readFileSync(image)).digest('hex')).toBe(before)
})
