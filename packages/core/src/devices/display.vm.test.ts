import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { run, silenceEcho, startLinux } from '../../test/guest.ts'
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
  expect(await screen.text()).toMatch(/^SeaBIOS \(version .*\)\n[^]*\n\nNo bootable device\.$/)
  expect(await screen.text({ ocr: true })).toMatch(/Booting from Floppy[^]*No bootable device/)
  await expect(screen.text({ ocr: { language: 'xyz' } })).rejects.toMatchObject({
    code: 'OCR_UNAVAILABLE',
    message: expect.stringContaining('npm install --save-dev tesseract.js @tesseract.js-data/xyz'),
  })
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

describe('the screen of a graphics driver', () => {
  const screen = display({ model: 'virtio', width: 640, height: 480 })
  let vm: VM
  beforeAll(async () => {
    vm = await VM.boot({ ...(await linuxGuest({ modules: ['virtio_gpu'] })), timeout: 60_000, devices: [screen] })
    await vm.ready()
    await silenceEcho(vm)
  }, 120_000)
  afterAll(() => vm?.close())

  test('shows the drawing of the guest in the next screenshot', async () => {
    const before = await screen.screenshot()
    expect(sizeOf(before)).toEqual([640, 480])
    await run(vm, 'head -c 600000 /dev/urandom >/dev/fb0 || true')
    const after = await screen.of(vm).screenshot()
    expect(sizeOf(after)).toEqual([640, 480])
    expect(after.length).toBeGreaterThan(before.length + 100_000)
  })

  test('is read as text', async () => {
    await run(vm, `printf '\\033[2J\\033[Hname: gqjy_ [x]\\n' >/dev/tty1`)
    // The driver draws after a delay.
    await vi.waitFor(async () => expect(await screen.text()).toMatch(/^name: gqjy_ \[x\]/), { timeout: 20_000 })
    await run(vm, 'head -c 1200000 /dev/urandom >/dev/fb0 || true')
    const unreadable = async () => expect(screen.text()).rejects.toMatchObject({ code: 'SCREEN_UNREADABLE' })
    await vi.waitFor(unreadable, { timeout: 20_000 })
  })
})

test('reads and types on a text console of Linux', async () => {
  const screen = display()
  const vm = await startLinux({ modules: ['bochs', 'i8042', 'atkbd'] }, [screen], { arch: 'x86_64' })
  await run(vm, `printf '\\033[2J\\033[Hname: gqjy_ [x] Ä\\n' >/dev/tty1`)
  expect(await screen.text()).toMatch(/^name: gqjy_ \[x\] Ä$/)
  vm.send('read -r line </dev/tty1; echo "got "$line\n')
  await screen.type('Hello, World_2!\n')
  await vm.expect('got Hello, World_2!\n')
  expect(await screen.text()).toContain('\nHello, World_2!')
})

test('moves and clicks a pointer', async () => {
  const screen = display({ pointer: true })
  const modules = ['xhci_pci', 'usbhid', 'hid_generic', 'evdev', 'atkbd']
  const vm = await startLinux({ modules }, [screen], { arch: 'x86_64' })
  await run(vm, 'until grep -q Tablet /proc/bus/input/devices; do sleep 0.1; done')
  const device = await run(vm, `grep -A 5 Tablet /proc/bus/input/devices | grep -o 'event[0-9]*'`)
  await run(vm, `exec 5</dev/input/${device.trim()}`)
  await screen.click({ x: 360, y: 200 })
  // Two coordinates and a report, then a scan code, a button and a report, twice. Each event has 24 bytes.
  const events = await run(vm, 'head -c 216 <&5 | od -An -v -tx1 -w24 | cut -c 50-')
  // EV_ABS with ABS_X and ABS_Y, then EV_KEY with BTN_LEFT down and up (linux/input-event-codes.h).
  expect(events).toMatch(/^03 00 00 00 [0-9a-f]{2} 40 00 00 *\n03 00 01 00 [0-9a-f]{2} 40 00 00/m)
  expect(events).toMatch(/^01 00 10 01 01 00 00 00[^]*^01 00 10 01 00 00 00 00/m)
})
