import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { blockDevice, expect, kernelOf, linuxGuest, rootfs, test } from '@coldboot/vitest'

const MEDIUM = resolve(process.env['MEDIUM'] ?? 'medium')
const medium = await rootfs(join(MEDIUM, 'root'), { init: false, storage: 'memory', modules: ['ext4'] })
const kernel = await kernelOf({ deb: join(MEDIUM, 'linux.deb') })
const { initramfs, kernelArgs, ready } = await linuxGuest({ kernel })

test('installs a system that boots from the chosen disk', { timeout: 300_000 }, async ({ bootVM, onTestFinished }) => {
  const folder = mkdtempSync(join(tmpdir(), 'installer-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const disks = ['first.img', 'second.img'].map((name) => join(folder, name))
  for (const disk of disks) {
    writeFileSync(disk, '')
    truncateSync(disk, 64 * 2 ** 20)
  }
  const [first = '', second = ''] = disks
  const installer = await bootVM({
    ...medium,
    name: 'installer',
    memory: '512M',
    template: 'off',
    terminal: true,
    devices: [blockDevice(first), blockDevice(second, { overlay: false })],
  })
  await installer.copyIn('install.sh', '/install.sh')
  await installer.copyIn(kernel.image, '/payload/vmlinuz')
  await installer.copyIn(initramfs, '/payload/initramfs')
  await installer.writeFile('/payload/arguments', kernelArgs)
  installer.send('sh /install.sh\n')

  const { terminal } = installer
  await expect(terminal).toShowText('Install to which disk?')
  await terminal.press('ArrowDown')
  await terminal.press('enter')
  await expect(terminal).toShowText('Name of the machine')
  installer.send('door-7')
  await terminal.press('enter')
  await expect(terminal).toShowText('Erase everything on vdb?')
  await terminal.press('enter')
  await expect(terminal).toShowText('The system is on vdb', { timeout: 60_000 })
  await terminal.press('enter')
  await expect(installer).toExit({ reason: 'guest-shutdown' })

  const vm = await bootVM({ name: 'installed', ready, template: 'off', devices: [blockDevice(second, { boot: true })] })
  vm.send('cat /proc/cmdline\n')
  await vm.expect(/ name=door-7\s/)
})
