import { writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { display } from './display.ts'

test('the complete arguments', () => {
  expect(qemuArgsOf(display())).toEqual(['-device', 'VGA,id=display0'])
  expect(qemuArgsOf(display({ model: 'virtio', width: 800, height: 600 }))).toEqual([
    ...['-device', 'virtio-gpu-pci,id=display0,xres=800,yres=600'],
  ])
  expect(qemuArgsOf(display(), { arch: 'aarch64' })).toEqual([
    ...['-device', 'virtio-gpu-pci,id=display0', '-device', 'virtio-keyboard-pci,display=display0'],
  ])
  expect(qemuArgsOf(display({ pointer: true }))).toEqual([
    ...[
      '-device',
      'VGA,id=display0',
      '-device',
      'qemu-xhci,id=usb0',
      '-device',
      'usb-tablet,bus=usb0.0,display=display0',
    ],
  ])
  expect(qemuArgsOf(display(), { arch: 's390x' })).toEqual(['-device', 'virtio-gpu-ccw,id=display0'])
})

test('rejects an incomplete size, and an unknown or unsupported model', () => {
  expect(() => display({ width: 12.5 })).toThrow(/`width` must be a whole number from 320/)
  expect(() => display({ model: 'cga' as 'vga' })).toThrow(/`model` must be one of vga, virtio/)
  const devices = [display({ model: 'vga' })]
  expect(() => resolveOptions({ arch: 's390x', firmware: 'none.bin', devices })).toThrow(/s390x machines have no VGA/)
})

test('takes a screenshot of its own screen, and removes the file', async () => {
  const device = display()
  const { context } = playMachine(
    (_command, asked) => {
      expect(asked).toMatchObject({ device: 'display7', format: 'png' })
      writeFileSync(String(asked['filename']), 'png')
    },
    ['display7'],
  )
  void device.attach?.(context)
  expect(Buffer.from(await device.screenshot()).toString()).toBe('png')
  expect(await readdir(context.directory)).toEqual([])
})
