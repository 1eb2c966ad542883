import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect, onTestFinished } from 'vitest'
import { locateQemu } from './locate.ts'

const test = base.extend('folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
})

function executable(path: string, script: string): string {
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

// The file is unchanged between the calls. Only the version that it prints changes.
test('caches the version of a QEMU, but not a failure', async ({ folder }) => {
  const qemu = executable(join(folder, 'qemu'), 'exec cat "$0.says"')
  await expect(locateQemu('x86_64', [qemu])).rejects.toMatchObject({ code: 'QEMU_TOO_OLD' })
  writeFileSync(`${qemu}.says`, 'QEMU emulator version 8.1.2')
  const found = { command: [qemu, '-L', '.'], version: '8.1.2', origin: 'asked' }
  expect(await locateQemu('x86_64', [qemu, '-L', '.'])).toEqual(found)
  rmSync(`${qemu}.says`)
  expect(await locateQemu('x86_64', [qemu, '-L', '.'])).toEqual(found)
})

test('runs a wrapper with all its arguments for the version, and ignores other output', async ({ folder }) => {
  const qemu = executable(join(folder, 'qemu'), 'echo "QEMU emulator version 9.2.1 (Debian 1:9.2.1+ds-1)"')
  const wrapper = executable(join(folder, 'wrapper'), 'echo "wrapper version 3.1.4"; shift; exec "$@"')
  expect(await locateQemu('x86_64', [wrapper, '--quietly', qemu])).toEqual({
    command: [wrapper, '--quietly', qemu],
    version: '9.2.1',
    origin: 'asked',
  })
})

test('reads the version again when the QEMU of a wrapper changes', async ({ folder }) => {
  const wrapper = executable(join(folder, 'wrapper'), 'exec "$@"')
  const qemu = executable(join(folder, 'qemu'), 'echo "QEMU emulator version 9.2.1"')
  expect(await locateQemu('x86_64', [wrapper, qemu])).toMatchObject({ version: '9.2.1' })
  executable(qemu, 'echo "QEMU emulator version 10.0.11"')
  expect(await locateQemu('x86_64', [wrapper, qemu])).toMatchObject({ version: '10.0.11' })
})

test('names a missing program or a directory, and the search path', async () => {
  await expect(locateQemu('x86_64', ['/usr'])).rejects.toThrow(/tried `\/usr`, and it is not an executable file/)
  await expect(locateQemu('x86_64', ['qemu-nowhere'])).rejects.toThrow(
    `tried \`qemu-nowhere\`, and it is not on PATH (${process.env['PATH']})`,
  )
})
