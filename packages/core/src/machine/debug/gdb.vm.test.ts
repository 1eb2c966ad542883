/** Tests with a real gdb. */
import { execFile, execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { liveMachines } from '../../host/machines/live-machines.ts'
import { startReady } from '../../template/start-ready.ts'
import { Template } from '../../template/template.ts'
import type { VM } from '../vm.ts'

const exec = promisify(execFile)
const noGdb = ((): string | undefined => {
  try {
    execFileSync('gdb', ['--version'])
    return undefined
  } catch {
    return 'gdb is not installed on this host'
  }
})()

afterAll(() => expect(liveMachines()).toEqual([]))

async function start(): Promise<VM> {
  return closing(await startReady({ ...(await linuxGuest()), timeout: 60_000, gdb: true }))
}

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

describe.skipIf(noGdb !== undefined)(`gdb${noGdb === undefined ? '' : ` (${noGdb})`}`, () => {
  test('reads registers and memory of a running guest, which then continues', async () => {
    const vm = await start()
    const { stdout: found } = await vm.run("grep ' linux_banner$' /proc/kallsyms; uname -r")
    const [, address = '', release = ''] = /^([0-9a-f]+) \w linux_banner\n(.*)\n$/.exec(found) ?? []
    const { stdout } = await exec('sh', ['-c', `${vm.gdb} -nx -batch -ex 'info registers' -ex 'x/s 0x${address}'`])
    expect(stdout).toMatch(/^(?:rip|pc) +0x[0-9a-f]+/m)
    expect(stdout).toContain(`Linux version ${release} `)
    expect((await vm.run('echo on')).stdout).toBe('on\n')
  })

  test('connects to machines of a template that was made with the option', async () => {
    const template = await Template.build({ ...(await linuxGuest()), timeout: 60_000, gdb: true })
    const vm = closing(await template.start())
    const { stdout } = await exec('sh', ['-c', `${vm.gdb} -nx -batch -ex 'info threads'`])
    expect(stdout).toContain('(CPU#0')
  })

  test('connects by a socket that other users cannot reach, again after a revert', async () => {
    const vm = await start()
    const first = vm.gdbSocket ?? ''
    expect(statSync(first).isSocket()).toBe(true)
    expect(statSync(dirname(first)).mode & 0o777).toBe(0o700)
    expect(vm.commandLineQuoted).not.toContain('gdb')
    const checkpoint = await vm.checkpoint()
    onTestFinished(() => checkpoint.remove())
    await vm.revert(checkpoint)
    expect(vm.gdbSocket).not.toBe(first)
    expect(statSync(first, { throwIfNoEntry: false })).toBeUndefined()
    const { stdout } = await exec('sh', ['-c', `${vm.gdb} -nx -batch -ex 'info threads'`])
    expect(stdout).toContain('(CPU#0')
  })
})
