import { resolve } from 'node:path'
import { expect, readOnlyDirectory, test, type VM, type VMOptions } from '@coldboot/vitest'

const board = {
  arch: 'aarch64',
  firmware: resolve(process.env['U_BOOT'] ?? 'u-boot', 'usr/lib/u-boot/qemu_arm64/u-boot.bin'),
  memory: '128M',
  devices: [readOnlyDirectory('disk', { interface: 'virtio' })],
  ready: 'Hit any key to stop autoboot',
} satisfies VMOptions

/** Presses a key during the countdown. */
async function stopAutoboot(vm: VM): Promise<void> {
  vm.send(' ')
  await vm.expect('=> ')
}

/** Runs a command at the prompt of U-Boot. @returns its output */
async function run(vm: VM, command: string, status = '0'): Promise<string> {
  vm.send(`${command}; echo status $?\n`)
  await vm.expect('; echo status $?\n')
  const { before, groups } = await vm.expect(/^status (?<status>\d+)\n=> /m)
  expect(groups['status'], `status of ${command}, which printed:\n${before}`).toBe(status)
  return before
}

// The template of these machines is at the prompt.
test.override('vmOptions', { ...board, prepare: stopAutoboot })

test('finds its memory and its disk', async ({ vm }) => {
  expect(await run(vm, 'bdinfo')).toMatch(/-> size *= 0x0*8000000\n/)
  expect(await run(vm, 'ls virtio 0:1')).toContain('uEnv.txt')
})

test('runs the start command of its disk', async ({ vm }) => {
  await run(vm, 'load virtio 0:1 $loadaddr uEnv.txt && env import -t $loadaddr $filesize')
  expect(await run(vm, 'printenv board')).toBe('board=door-lock\n')
  expect(await run(vm, 'run start')).toBe('starting the door-lock\n')
})

test('forgets a variable that was not saved', async ({ vm }) => {
  await run(vm, 'setenv greeting "hello again"')
  expect(await run(vm, 'echo $greeting')).toBe('hello again\n')
  await vm.reset()
  await vm.ready()
  await stopAutoboot(vm)
  expect(await run(vm, 'printenv greeting', '1')).toBe('## Error: "greeting" not defined\n')
})
