import { expect, test } from 'vitest'
import type { Device, HelperContext } from '../../devices/device.ts'
import { resolveOptions } from '../../spec/machine-spec.ts'
import { buildCommandLine } from '../command-line.ts'
import { spawnQemu } from '../process.ts'
import { HelperProcesses } from './helper-processes.ts'

// Other programs replace QEMU and its helpers here. tpm.vm.test.ts tests a real helper.
const withHelper = (argv: readonly string[], seen: HelperContext[] = []): Device => ({
  name: 'helped',
  bootable: true,
  qemuArgs: (context) => [`fd=${context.inherit()}`],
  helper(context) {
    seen.push(context)
    return { argv, cwd: '/', hint: 'Install it.' }
  },
})

function machine(device: Device) {
  const spec = resolveOptions({ arch: 'x86_64', accelerator: 'tcg', devices: [device] })
  const input = { spec, qemu: ['qemu'], directory: '/private', wiring: 'inherited', sandbox: false } as const
  return { spec, line: buildCommandLine(input) }
}

test('a helper and QEMU are connected to each other, and the helper ends on request', async () => {
  const seen: HelperContext[] = []
  const program = 'echo started >&2; read line <&4; echo "$line from $PWD" >&4; exec sleep 60'
  const { spec, line } = machine(withHelper(['sh', '-c', program], seen))
  const helpers = await HelperProcesses.spawn(spec, line, '/private')
  expect(seen).toEqual([{ directory: '/private', position: 0, fd: 4 }])
  const [fd = 0] = line.deviceDescriptors.flat()
  // Not a shell, because the socket is non-blocking.
  const speaker = `const it = new net.Socket({ fd: ${fd} }).on('data', (data) => console.log('got', String(data)) || it.destroy()); it.write('hello\\n')`
  const qemu = await spawnQemu([process.execPath, '-e', speaker], { sockets: [4], files: helpers.sockets })
  helpers.passed()
  await qemu.exited
  expect(qemu.stderr()).toBe('got hello from /\n\n')
  await helpers.end()
  expect(helpers.printed()).toEqual({ 'sh printed': 'started' })
})

test('a helper that ignores SIGTERM is killed', async () => {
  const { spec, line } = machine(withHelper(['sh', '-c', 'trap "" TERM; echo up >&4; exec sleep 60']))
  const helpers = await HelperProcesses.spawn(spec, line, '/private')
  const [socket] = helpers.sockets.values()
  await new Promise((resolve) => socket?.once('data', resolve))
  await expect(helpers.end()).resolves.toBeUndefined()
})

test('the error of a missing helper names its program', async () => {
  const { spec, line } = machine(withHelper(['no-such-program']))
  await expect(HelperProcesses.spawn(spec, line, '/private')).rejects.toMatchObject({
    code: 'DEVICE_UNAVAILABLE',
    shortMessage: 'helped: this host has no `no-such-program` on its PATH',
    hint: 'Install it.',
  })
})
