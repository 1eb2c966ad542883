import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { locateQemu } from './locate.ts'

// Its file stays the same from one look to the next: only what it says changes.
test('a QEMU that did not say its version is asked again, and one that did is not', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const qemu = join(folder, 'qemu')
  writeFileSync(qemu, `#!/bin/sh\necho asked >> "$0.log"; exec cat "$0.says"\n`)
  chmodSync(qemu, 0o755)
  await expect(locateQemu('x86_64', [qemu])).rejects.toMatchObject({ code: 'QEMU_TOO_OLD' })
  writeFileSync(`${qemu}.says`, 'QEMU emulator version 8.1.2')
  const found = { command: [qemu, '-L', '.'], version: '8.1.2' }
  expect(await locateQemu('x86_64', [qemu, '-L', '.'])).toEqual(found)
  rmSync(`${qemu}.says`)
  expect(await locateQemu('x86_64', [qemu, '-L', '.'])).toEqual(found)
})

test('what is not there, or is a directory, is named with where it was looked for', async () => {
  await expect(locateQemu('x86_64', ['/usr'])).rejects.toThrow(/tried `\/usr`, and there is no executable file/)
  await expect(locateQemu('x86_64', ['qemu-nowhere'])).rejects.toThrow(
    `tried \`qemu-nowhere\`, and it is not on PATH (${process.env['PATH']})`,
  )
})
