/** Tests of the launcher under both names, with small programs of the host in the directory layout of a package. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test as base, describe, expect, onTestFinished } from 'vitest'
import { buildProgram, compilerVersion, sourceDigest } from '../../guest/agent/static-program.mjs'
import { LAUNCHER } from '../launcher/build.mjs'

const BIN = new URL('../launcher/bin/', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('manifest.json', BIN), 'utf8')) as {
  readonly source: string
  readonly built: Readonly<Record<string, { readonly sha256: string; readonly compiler: string }>>
}
const sha256 = (path: string | URL): string => createHash('sha256').update(readFileSync(path)).digest('hex')

const test = base.extend('folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot launcher '))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
})

test('the committed launchers were built from the committed source', () => {
  expect(manifest.source).toBe(sourceDigest(LAUNCHER))
})

describe.each(Object.keys(LAUNCHER.targets))('the launcher for %s', (arch) => {
  test('is small, and has the hash in the manifest', () => {
    const launcher = readFileSync(new URL(arch, BIN))
    expect(sha256(new URL(arch, BIN))).toBe(manifest.built[arch]?.sha256)
    expect(launcher.length).toBeLessThan(4_000)
  })

  test('equals a new build of its source', ({ skip, folder }) => {
    const { compiler = '' } = LAUNCHER.targets[arch] ?? {}
    const version = compilerVersion(compiler)
    const wanted = manifest.built[arch]?.compiler
    skip(version === undefined, `${compiler} is not installed: see launcher/build.mjs`)
    skip(version !== wanted, `the launcher was built with ${wanted}, and here is ${version}`)
    buildProgram(LAUNCHER, arch, join(folder, 'launcher'))
    expect(sha256(join(folder, 'launcher'))).toBe(manifest.built[arch]?.sha256)
  })
})

const OWN = { x64: 'x86_64', arm64: 'aarch64' }[process.arch as string]

describe.skipIf(OWN === undefined || process.platform !== 'linux')('the launcher of this host', () => {
  const run = promisify(execFile)
  const install = (folder: string, name: string): string => {
    mkdirSync(join(folder, 'bin'), { recursive: true })
    copyFileSync(new URL(OWN ?? '', BIN), join(folder, 'bin', name))
    chmodSync(join(folder, 'bin', name), 0o755)
    return join(folder, 'bin', name)
  }
  const script = (path: string, text: string): void => {
    mkdirSync(join(path, '..'), { recursive: true })
    writeFileSync(path, `#!/bin/sh\n${text}\n`)
    chmodSync(path, 0o755)
  }

  test('runs the loader of its package with the libraries, the program and the arguments, without LD_ variables', async ({
    folder,
  }) => {
    const launcher = install(folder, 'qemu-system-test')
    const loader = process.arch === 'x64' ? 'ld-linux-x86-64.so.2' : 'ld-linux-aarch64.so.1'
    script(join(folder, 'lib', loader), `printf '%s\\n' "$@"; echo "$KEPT \${LD_NOTHING-none}"`)
    const env = { KEPT: 'kept', LD_NOTHING: 'host.so' }
    const { stdout } = await run(launcher, ['-m', '1 G', ''], { env })
    const libraries = join(folder, 'lib')
    const program = join(folder, 'libexec', 'qemu-system-test')
    const lines = ['--inhibit-cache', '--library-path', libraries, program, '-m', '1 G', '', 'kept none', '']
    expect(stdout).toBe(lines.join('\n'))
  })

  test('reports a missing loader', async ({ folder }) => {
    const failed = run(install(folder, 'qemu-system-test'), [])
    await expect(failed).rejects.toMatchObject({ code: 127, stderr: expect.stringContaining(`${folder}/lib/ld-linux`) })
  })

  test('runs a program if its parent is running, and fails if the parent has ended', async ({ folder }) => {
    const tie = install(folder, 'coldboot-tie')
    const { stdout } = await run(tie, [String(process.pid), '/bin/echo', 'started', 'a b'])
    expect(stdout).toBe('started a b\n')
    const orphan = run(tie, ['1', '/bin/echo', 'started'])
    await expect(orphan).rejects.toMatchObject({ code: 125, stdout: '', stderr: 'coldboot: the parent is gone: 1\n' })
  })
})
