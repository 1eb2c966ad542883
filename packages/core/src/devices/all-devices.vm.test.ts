/** Tests of a machine with every device: it is not reachable from outside, and its command line works in a shell. */
import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { bootSector } from '../../test/boot-images.ts'
import { HOSTILE_NAMES } from '../../test/hostile-names.ts'
import { describeMachine } from '../machine/description.ts'
import { VM } from '../machine/vm.ts'
import { arbitraryArgs } from './arbitrary-args.ts'
import { balloon } from './balloon.ts'
import { blockDevice } from './block-device.ts'
import { channel } from './channel.ts'
import type { Device } from './device.ts'
import { display } from './display.ts'
import { p9Directory } from './p9-directory.ts'
import { pvpanic } from './pvpanic.ts'
import { serial } from './serial.ts'
import { virtioRandom } from './virtio-random.ts'
import { watchdog } from './watchdog.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/**
 * A machine with every device, and directories and files with hostile names. It prints `sector written` and powers off.
 */
function everyDevice(): Device[] {
  const place = mkdtempSync(join(folder, 'place-'))
  const shares = HOSTILE_NAMES.map((name, index) => {
    mkdirSync(join(place, name))
    return p9Directory(join(place, name), { tag: `share${index}`, readOnly: index === 0 })
  })
  const disks = HOSTILE_NAMES.map((name, index) => {
    const image = join(place, `${name}.img`)
    writeFileSync(image, Buffer.concat([bootSector('hello from the boot sector')], 1 << 20))
    return blockDevice(image, { boot: index === 0, overlay: index !== 1, interface: index === 2 ? 'usb' : 'virtio' })
  })
  return [
    ...[...shares, ...disks, virtioRandom(), channel('a'), serial(), serial({ model: 'virtio' }), watchdog()],
    ...[display(), pvpanic(), balloon(), arbitraryArgs('-device', 'edu')],
  ]
}

test('a machine has no listening port and no named socket, and is in a sandbox', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('sockets are looked up in /proc')
  const vm = await VM.boot({
    arch: 'x86_64',
    firmware: 'bios-256k.bin',
    devices: [...everyDevice(), HALTED],
    timeout: 60_000,
  })
  onTestFinished(() => vm.close().then(() => {}))
  const inodes = new Set(
    readdirSync(`/proc/${vm.pid}/fd`).flatMap((fd) => {
      const target = readlinkSync(`/proc/${vm.pid}/fd/${fd}`)
      return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? []
    }),
  )
  // The sockets of the console, of QMP and of the devices.
  expect(inodes.size).toBeGreaterThanOrEqual(5)
  const table = (name: string) => readFileSync(`/proc/${vm.pid}/net/${name}`, 'utf8').split('\n').slice(1)
  const internet = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap(table).map((line) => line.trim().split(/\s+/)[9] ?? '')
  expect(internet.filter((inode) => inodes.has(inode))).toEqual([])
  const unix = table('unix').map((line) => line.trim().split(/\s+/))
  const own = unix.filter((fields) => inodes.has(fields[6] ?? ''))
  // Columns: Num RefCount Protocol Flags Type St Inode [Path]. The sockets have no path, and do not listen.
  expect(own.filter((fields) => fields.length > 7 || fields[3] !== '00000000')).toEqual([])
  // QEMU is in its sandbox: it has a seccomp filter, and cannot gain privileges (`no_new_privs`).
  const status = readFileSync(`/proc/${vm.pid}/status`, 'utf8')
  expect(status).toMatch(/^NoNewPrivs:\t1$/m)
  expect(status).toMatch(/^Seccomp:\t2$/m)
  const directory = dirname(vm.logFile)
  expect(statSync(directory).mode & 0o777).toBe(0o700)
  expect(readdirSync(directory).filter((name) => statSync(join(directory, name)).isSocket())).toEqual([])
})

/** Stops the CPUs before their first instruction, so that the machine does not end. */
const HALTED = arbitraryArgs('-S')

test('the quoted command line starts a machine in a shell, with hostile paths for every device', async () => {
  const { commandLineQuoted } = describeMachine({ arch: 'x86_64', devices: everyDevice() })
  const { stdout } = await promisify(execFile)('sh', ['-c', `${commandLineQuoted} </dev/null`], { timeout: 100_000 })
  expect(stdout).toContain('hello from the boot sector')
  expect(stdout).toContain('sector written')
})
