import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { QmpClient } from '../../devices/device.ts'
import { hostArchitecture } from '../../options/architecture.ts'
import { gdbCommand, serveGdb } from './gdb-server.ts'

const arch = hostArchitecture() ?? 'x86_64'

test('the command of gdb is quoted for a shell', () => {
  expect(gdbCommand({ arch, kernel: undefined }, '/tmp/a b/gdb.sock')).toBe("gdb -ex 'target remote /tmp/a b/gdb.sock'")
})

test('the path of the socket is quoted for the monitor of QEMU', async () => {
  const root = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(root, { recursive: true }))
  const directory = join(root, 'My "Disk"\\, 1')
  mkdirSync(directory)
  let command: unknown
  const qmp = {
    execute: async (_: string, args?: Readonly<Record<string, unknown>>) => {
      command = args?.['command-line']
      writeFileSync(join(directory, 'gdb.sock'), '')
    },
  } as unknown as QmpClient
  const server = await serveGdb(qmp, directory)
  expect(server.socket).toBe(join(directory, 'gdb.sock'))
  expect(command).toBe(`gdbserver "unix:${root}/My \\"Disk\\"\\\\,, 1/gdb.sock,server=on,wait=off"`)
})

test('the command names the symbols of a kernel in its build tree', () => {
  const tree = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(tree, { recursive: true }))
  mkdirSync(join(tree, 'arch/x86/boot'), { recursive: true })
  const [kernel, symbols] = [join(tree, 'arch/x86/boot/bzImage'), join(tree, 'vmlinux')]
  expect(gdbCommand({ arch, kernel }, '/s')).toBe("gdb -ex 'target remote /s'")
  writeFileSync(symbols, '')
  expect(gdbCommand({ arch, kernel }, '/s')).toBe(`gdb ${symbols} -ex 'target remote /s'`)
  expect(gdbCommand({ arch, kernel: symbols }, '/s')).toBe(`gdb ${symbols} -ex 'target remote /s'`)
})

test('guests of other architectures need a gdb for several architectures', () => {
  const other = arch === 's390x' ? 'x86_64' : 's390x'
  expect(gdbCommand({ arch: other, kernel: undefined }, '/s')).toBe("gdb-multiarch -ex 'target remote /s'")
})
