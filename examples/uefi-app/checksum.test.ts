import { execFileSync } from 'node:child_process'
import { cpSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, readOnlyDirectory, test, type VM, type VMOptions } from '@coldboot/vitest'

const GNU_EFI = resolve(process.env['GNU_EFI'] ?? 'gnu-efi')
const PAYLOAD = 'counted by the firmware'
const REPORT = `payload.bin: ${PAYLOAD.length} bytes, CRC-32 ${crc32(PAYLOAD).toString(16).toUpperCase()}`

cpSync('app', 'build/app', { recursive: true })
execFileSync('make', ['-C', 'build/app', `GNU_EFI=${GNU_EFI}`, 'checksum.efi'], { stdio: 'pipe' })

/** A machine with UEFI and a FAT volume that contains the application. */
function machine(volume: string, application: string): VMOptions {
  const folder = resolve('build', volume)
  cpSync('build/app/checksum.efi', resolve(folder, application))
  writeFileSync(resolve(folder, 'payload.bin'), PAYLOAD)
  return { arch: 'x86_64', firmware: 'uefi', devices: [readOnlyDirectory(folder)] }
}

test('is started by the boot manager', async ({ bootVM }) => {
  const vm = await bootVM(machine('boot', 'EFI/BOOT/BOOTX64.EFI'))
  await vm.expect(REPORT, { timeout: 120_000 })
}, 180_000)

describe('in the shell of the firmware', () => {
  // The template of these machines is at the prompt.
  test.override('vmOptions', {
    ...machine('shell', 'checksum.efi'),
    ready: 'skip startup.nsh',
    bootTimeout: 120_000,
    // A machine that ends up in this shell has usually found nothing to boot.
    failOn: { noBootDevice: 'allow' },
    prepare: async (vm) => {
      vm.send('\x1b')
      await vm.expect('Shell> ')
      await run(vm, 'fs0:')
    },
  })

  test('prints the size and the checksum of a file', async ({ vm }) => {
    expect(await run(vm, 'checksum.efi payload.bin')).toBe(`${REPORT}\n`)
  })

  test('fails for a missing file', async ({ vm }) => {
    expect(await run(vm, 'checksum.efi absent.bin')).toBe('absent.bin: Not Found\n')
    expect(await run(vm, 'echo %lasterror%')).toBe('0xE\n')
  })
})

/** Runs a command of the shell. @returns its output */
async function run(vm: VM, command: string): Promise<string> {
  vm.send(`${command}\r`)
  await vm.expect(`${command}\n`)
  return (await vm.expect('FS0:\\> ')).before
}
