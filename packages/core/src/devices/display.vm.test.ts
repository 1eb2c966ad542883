import { expect, onTestFinished, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { VM } from '../machine/vm.ts'
import { display } from './display.ts'

/** Width and height, from the header of a PNG (ISO/IEC 15948, 11.2.2). */
function sizeOf(png: Uint8Array): readonly [width: number, height: number] {
  const bytes = Buffer.from(png)
  expect(bytes.subarray(0, 8)).toEqual(Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'))
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)]
}

test('shows the firmware of a PC on its VGA', async () => {
  const screen = display()
  const vm = await VM.boot({
    arch: 'x86_64',
    memory: '64M',
    firmware: 'bios-256k.bin',
    devices: [screen],
    timeout: 60_000,
  })
  onTestFinished(() => vm.close().then(() => {}))
  await vm.expect('No bootable device')
  expect(sizeOf(await screen.screenshot())).toEqual([720, 400])
})

test('one display object in two machines shows the screen of the selected one', async () => {
  const screen = display()
  const start = async (name: string) => {
    const vm = await VM.boot({ arch: 'x86_64', name, memory: '64M', firmware: 'bios-256k.bin', devices: [screen] })
    onTestFinished(() => vm.close().then(() => {}))
    return vm
  }
  const [first, second] = [await start('first'), await start('second')]
  await expect(screen.screenshot()).rejects.toThrow(/part of 2 running machines: "first", "second"/)
  sizeOf(await screen.of(first).screenshot())
  await first.close()
  sizeOf(await screen.screenshot())
  await second.close()
  await expect(screen.screenshot()).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
})

test('shows the drawing of the guest in the next screenshot', async () => {
  const screen = display({ model: 'virtio', width: 640, height: 480 })
  const vm = await bootLinux({ modules: ['virtio_gpu'] }, [screen])
  const before = await screen.screenshot()
  expect(sizeOf(before)).toEqual([640, 480])
  await run(vm, 'head -c 600000 /dev/urandom >/dev/fb0 || true')
  const after = await screen.of(vm).screenshot()
  expect(sizeOf(after)).toEqual([640, 480])
  expect(after.length).toBeGreaterThan(before.length + 100_000)
})
