/** Tests of the package for arm64 hosts, on any host. An emulated processor runs its QEMU. */
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test } from 'vitest'
import { readElf } from '../../../scripts/pack/elf.mjs'
import { damagedFiles } from '../../../scripts/pack/package-content.mjs'

const run = promisify(execFile)
const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url))
const FOLDER = join(WORKSPACE, 'packages', 'qemu-linux-arm64')

beforeAll(async () => {
  await run(process.execPath, [join(WORKSPACE, 'scripts', 'pack-qemu.mjs'), 'qemu-linux-arm64'], { cwd: WORKSPACE })
}, 600_000)

/** Paths of the package's ELF files. */
function programs(): string[] {
  const files = ['bin', 'lib', 'libexec'].flatMap((folder) =>
    readdirSync(join(FOLDER, folder), { recursive: true, encoding: 'utf8' }).map((name) => join(FOLDER, folder, name)),
  )
  return files.filter((path) => statSync(path).isFile() && !path.includes('/usr/share/'))
}

test('contains every library that its programs need, all for aarch64, and the files of its manifest', async () => {
  const libraries = new Set(readdirSync(join(FOLDER, 'lib')))
  const faults = programs().flatMap((path) => {
    const elf = readElf(readFileSync(path))
    if (elf?.machine !== 'aarch64') return [`${path} is for ${elf?.machine}`]
    return elf.needed.filter((name) => !libraries.has(name)).map((name) => `${path} needs ${name}`)
  })
  expect(faults).toEqual([])
  expect(programs().length).toBeGreaterThan(40)
  expect(await damagedFiles(FOLDER)).toEqual([])
})

test('names the licence and source of each part', () => {
  const manifest = JSON.parse(readFileSync(join(FOLDER, 'manifest.json'), 'utf8')) as { debian: Record<string, string> }
  const [copyright, sources] = ['COPYRIGHT', 'SOURCES'].map((name) => readFileSync(join(FOLDER, name), 'utf8'))
  for (const [name, version] of Object.entries(manifest.debian)) {
    expect(copyright).toContain(`${name} ${version}`)
    expect(sources).toContain(`${name}_${version.replaceAll(':', '%3a')}_`)
  }
})

test('contains a QEMU that starts on an emulated processor', { timeout: 120_000 }, async ({ skip }) => {
  const emulators = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'qemu-aarch64-static'))
  const emulator = emulators.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile())
  if (emulator === undefined) return skip('qemu-aarch64-static is not installed')
  const lib = join(FOLDER, 'lib')
  const loader = [join(lib, 'ld-linux-aarch64.so.1'), '--library-path', lib]
  const { stdout } = await run(emulator, [...loader, join(FOLDER, 'libexec', 'qemu-system-aarch64'), '--version'])
  expect(stdout).toMatch(/^QEMU emulator version \d+\.\d+/)
  // The launcher fails only when it executes the loader, because the host's kernel cannot run aarch64 programs.
  const launched = run(emulator, [join(FOLDER, 'bin', 'qemu-system-aarch64'), '--version'])
  await expect(launched).rejects.toMatchObject({ stderr: `coldboot: cannot run ${lib}/ld-linux-aarch64.so.1\n` })
})
