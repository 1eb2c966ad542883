import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, rootfs, test, type VM } from '@coldboot/vitest'

const root = await rootfs(process.env['SYSTEMD'] ?? 'systemd', { init: '/lib/systemd/systemd', modules: ['autofs4'] })

async function install(vm: VM): Promise<void> {
  await vm.copyIn('system', '/etc/systemd/system')
  await vm.copyIn('door-lock.sh', '/opt/door-lock.sh')
  await vm.writeFile('/etc/keys', 'front\nback\n')
}

test.override('vmOptions', {
  ...root,
  // An emulated CPU starts programs faster if their addresses are the same each time.
  kernelArgs: `${root.kernelArgs} systemd.unit=basic.target norandmaps`,
  memory: '512M',
  ready: 'Reached target basic.target',
  bootTimeout: 240_000,
  timeout: 60_000,
  // A list makes a template of the boot too: when a file changes, only this step is done again.
  prepare: [install],
  templateKey: ['door-lock.sh', ...readdirSync('system').map((name) => join('system', name))]
    .map((file) => readFileSync(file, 'utf8'))
    .join('\n'),
})

async function show(vm: VM, unit: string, property: string): Promise<number> {
  const { stdout } = await vm.run(['systemctl', 'show', '--value', `--property=${property}`, unit])
  return Number(stdout)
}

test('starts after its keys', async ({ vm }) => {
  await vm.run('systemctl start --no-block door-lock')
  await vm.waitForUnit('door-lock')
  const keysActive = await show(vm, 'keys', 'ActiveEnterTimestampMonotonic')
  expect(await show(vm, 'door-lock', 'ExecMainStartTimestampMonotonic')).toBeGreaterThan(keysActive)
  await expect(vm).toRun('journalctl -o cat -u door-lock', { stdout: /locked, with 2 keys/ })
})

test('is restarted after a crash', async ({ vm }) => {
  await vm.run('systemctl start door-lock')
  const pid = await show(vm, 'door-lock', 'MainPID')
  await vm.run(`kill -SEGV ${pid}`)
  await vm.waitUntil('[ $(systemctl show --value --property=NRestarts door-lock) = 1 ]')
  await vm.waitForUnit('door-lock')
  expect(await show(vm, 'door-lock', 'MainPID')).not.toBe(pid)
})

test('does not start without its keys', async ({ vm }) => {
  await vm.run('rm /etc/keys')
  await expect(vm).toRun('systemctl start door-lock', { exitCode: 1, stderr: /dependency/ })
  await expect(vm).toRun('systemctl is-active door-lock', { exitCode: 3, stdout: 'inactive' })
})
