import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { Network } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { test } from '@coldboot/vitest'

const DNSMASQ = '/usr/sbin/dnsmasq'
const missing = existsSync(DNSMASQ) ? '' : ' (this host has no dnsmasq)'

/** A program of the host with its libraries, as files of a guest. */
function program(path: string): Record<string, { source: string }> {
  const libraries = execFileSync('ldd', [path], { encoding: 'utf8' }).match(/\/\S+(?= \(0x)/g) ?? []
  return Object.fromEntries([path, ...libraries].map((file) => [file, { source: file }]))
}

test.skipIf(missing !== '')(`boots from a guest that serves DHCP and TFTP${missing}`, async ({ bootVM }) => {
  await using network = new Network()
  const guest = await linuxGuest({ files: { ...program(DNSMASQ), '/srv': { source: 'fixtures/tftp' } } })
  const server = await bootVM({ ...guest, name: 'server', devices: [network.nic()] })
  await server.run('ip addr add 10.0.0.1/24 dev eth0 && ip addr add fd00::1/64 dev eth0 && ip link set eth0 up')
  await server.run(
    'dnsmasq --conf-file=/dev/null --user=root --pid-file --dhcp-leasefile=/tmp/leases --port=0 ' +
      // Without a router of IPv6, iPXE waits for one, 13 s in the firmware of QEMU 7.2.
      '--enable-ra --dhcp-range=fd00::,ra-only ' +
      '--dhcp-range=10.0.0.20,10.0.0.40 --dhcp-boot=boot.ipxe --enable-tftp --tftp-root=/srv',
  )

  const client = await bootVM({ arch: 'x86_64', name: 'client', devices: [network.nic({ boot: true })] })
  await client.expect(/booted over the network by 10\.0\.0\.[234]\d/, { timeout: 25_000 })
})
