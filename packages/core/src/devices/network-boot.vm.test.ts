import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { bootableIso, bootSector } from '../../test/boot-images.ts'
import { startLinux } from '../../test/guest.ts'
import { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { arbitraryArgs } from './arbitrary-args.ts'
import { blockDevice } from './block-device.ts'
import { Network } from './network.ts'
import { userNetwork } from './user-network.ts'

function folderWith(name: string, content: string | Uint8Array): string {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, name), content)
  return folder
}

async function boot(options: MachineOptions): Promise<VM> {
  const vm = await VM.boot({ arch: 'x86_64', memory: '128M', timeout: 60_000, ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

describe('a PC', () => {
  test('boots a file of a directory over its network card, before its disk', async () => {
    const tftp = folderWith('boot.ipxe', '#!ipxe\necho booted by ${net0/ip}\nsleep 600\n')
    const disk = join(folderWith('disk.img', Buffer.alloc(1 << 20)), 'disk.img')
    const vm = await boot({ devices: [blockDevice(disk), userNetwork({ tftp, bootFile: 'boot.ipxe' })] })
    await vm.expect('iPXE')
    await vm.expect('booted by 10.0.2.15')
  })

  test('continues with its network card after a disk without a boot loader', async () => {
    const tftp = folderWith('boot.ipxe', '#!ipxe\necho booted\nsleep 600\n')
    const disk = join(folderWith('disk.img', Buffer.alloc(1 << 20)), 'disk.img')
    const vm = await boot({
      devices: [blockDevice(disk, { boot: true }), arbitraryArgs(...lastCard(tftp))],
    })
    await vm.expect('Boot failed: not a bootable disk')
    await vm.expect('booted\n')
  })

  test('boots over a Network from a guest that serves DHCP and the file', async () => {
    await using network = new Network()
    const files = {
      '/etc/udhcpd.conf':
        'interface eth0\nstart 10.0.0.20\nend 10.0.0.40\nlease_file /tmp/leases\nopt subnet 255.255.255.0\n' +
        'boot_file http://10.0.0.1/boot.ipxe\n',
      '/srv/boot.ipxe': '#!ipxe\necho booted by ${filename}\nsleep 600\n',
    }
    const server = await startLinux({ modules: ['virtio_net', 'af_packet'], files }, [network.nic()])
    await server.run('ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up && httpd -h /srv && touch /tmp/leases')
    await server.run('udhcpd /etc/udhcpd.conf')
    const vm = await boot({ devices: [network.nic()] })
    await vm.expect('booted by http://10.0.0.1/boot.ipxe')
  })

  test('boots from a disc of arbitrary arguments', async () => {
    const iso = join(folderWith('disc.iso', bootableIso(bootSector('from the disc'))), 'disc.iso')
    const vm = await boot({ devices: [arbitraryArgs('-cdrom', iso)] })
    await vm.expect('from the disc')
  })

  test('fails a wait at once when the firmware finds nothing to boot', async () => {
    const vm = await boot({ devices: [userNetwork()], timeout: 100_000 })
    await expect(vm.expect('login: ')).rejects.toMatchObject({ code: 'GUEST_NOT_BOOTED' })
  })

  test('prints nothing of its firmware on the console with `firmwareOnConsole: false`', async () => {
    const disk = join(
      folderWith('disk.img', Buffer.concat([bootSector('from the disk'), Buffer.alloc(1 << 20)])),
      'disk.img',
    )
    const vm = await boot({ devices: [blockDevice(disk)], firmwareOnConsole: false })
    await vm.waitForExit()
    expect(vm.output).toMatch(/^from the disk\n/)
  })
})

/** A network card that the firmware tries after the disks. */
function lastCard(tftp: string): readonly string[] {
  return ['-netdev', `user,id=last,restrict=on,tftp=${tftp},bootfile=boot.ipxe`, '-device', 'e1000,netdev=last']
}
