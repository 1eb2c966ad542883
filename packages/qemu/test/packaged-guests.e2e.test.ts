/**
 * Boots guests and firmware of the npm packages once: 32-bit guests on the packages' 64-bit QEMU, and its UEFI firmware. PATH is
 * empty, so that no program of the host is used instead.
 */
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const run = promisify(execFile)
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url))
const ENGINES = ['qemu-linux-x64', 'qemu-linux-x64-aarch64']
const GUESTS = ['guest-i386', 'guest-arm']

const BOOT_GUEST = `
import { VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'

await using vm = await VM.boot({ ...(await linuxGuest({ arch: process.argv[2] })), bootTimeout: 180_000, timeout: 60_000 })
await vm.ready()
vm.send('uname -m\\n')
const { text } = await vm.expect(/^(?:i686|armv7l)\\n/m)
console.log(JSON.stringify({ machine: text.trim(), program: vm.commandLine[0] }))
`

const BOOT_FIRMWARE = `
import { VM } from '@coldboot/core'

await using vm = await VM.boot({ arch: process.argv[2], firmware: 'uefi', timeout: 120_000 })
await vm.expect(['UEFI Interactive Shell', 'No bootable option or device was found'])
console.log(JSON.stringify({ program: vm.commandLine[0], quoted: vm.commandLineQuoted }))
`

let project: string

beforeAll(async () => {
  if (process.platform !== 'linux' || process.arch !== 'x64') return
  await run(process.execPath, [join(WORKSPACE, 'scripts', 'pack-qemu.mjs'), ...ENGINES], { cwd: WORKSPACE })
  await run(process.execPath, [join(WORKSPACE, 'scripts', 'pack-guest.mjs'), ...GUESTS], { cwd: WORKSPACE })
  project = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-guests-')))
  const scope = join(project, 'node_modules', '@coldboot')
  mkdirSync(scope, { recursive: true })
  for (const name of ['core', 'guest', ...ENGINES, ...GUESTS]) {
    symlinkSync(join(WORKSPACE, 'packages', name), join(scope, name))
  }
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(project, 'guest.js'), BOOT_GUEST)
  writeFileSync(join(project, 'firmware.js'), BOOT_FIRMWARE)
}, 900_000)

afterAll(() => {
  if (project !== undefined) rmSync(project, { recursive: true, force: true })
})

async function boot(script: string, arch: string): Promise<Record<string, string>> {
  const { stdout } = await run(process.execPath, [script, arch], {
    cwd: project,
    env: { PATH: '', HOME: project, TMPDIR: project },
  })
  return JSON.parse(stdout) as Record<string, string>
}

describe.skipIf(process.platform !== 'linux' || process.arch !== 'x64')('on Linux x64, with an empty PATH', () => {
  test.for([
    ['i386', 'i686', 'qemu-linux-x64/bin/qemu-system-x86_64'],
    ['arm', 'armv7l', 'qemu-linux-x64-aarch64/bin/qemu-system-aarch64'],
  ] as const)('the packaged guest for %s boots', { timeout: 400_000 }, async ([arch, machine, program]) => {
    const booted = await boot('guest.js', arch)
    expect(booted).toEqual({ machine, program: join(WORKSPACE, 'packages', program) })
  })

  test.for([
    ['x86_64', 'qemu-linux-x64'],
    ['aarch64', 'qemu-linux-x64-aarch64'],
  ] as const)('the UEFI firmware of the package for %s starts', { timeout: 300_000 }, async ([arch, engine]) => {
    const { program, quoted } = await boot('firmware.js', arch)
    const folder = join(WORKSPACE, 'packages', engine)
    expect(program).toMatch(`${folder}/bin/`)
    expect(quoted).toContain(`${folder}/lib/qemu-bundle`)
  })
})
