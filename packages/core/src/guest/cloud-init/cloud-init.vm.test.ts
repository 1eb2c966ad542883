/** Tests cloud-init of Debian with a seed of the device `cloudInit`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noDebian } from '../../../test/debian/debian-image.ts'
import { debianMachine } from '../../../test/debian/debian-machine.ts'
import { cloudInit } from '../../devices/cloud-init.ts'
import type { VM } from '../../machine/vm.ts'
import { Template } from '../../template/template.ts'

const reason = noDebian()

const seed = cloudInit({
  userData: {
    // Each module takes CPU time, for example that for the keys of ssh.
    cloud_init_modules: ['write-files', 'set-hostname'],
    cloud_config_modules: ['runcmd'],
    cloud_final_modules: ['scripts-user'],
    write_files: [{ path: '/etc/greeting', content: 'yes\n', permissions: '0640' }],
    runcmd: ['echo "ran on $(hostname)" >/run/ran'],
  },
  metaData: { 'local-hostname': 'debian' },
  networkConfig: { network: { config: 'disabled' } },
})

describe.skipIf(reason !== undefined)(`cloud-init of Debian${reason === undefined ? '' : ` (${reason})`}`, () => {
  let vm: VM
  beforeAll(async () => {
    const prepare = (it: VM) => it.waitForCloudInit()
    const template = await Template.build(await debianMachine([seed]), { prepare })
    vm = await template.start()
  }, 900_000)
  afterAll(() => vm?.close())

  test('has applied the seed in machines of the template', async () => {
    expect(await vm.waitForCloudInit()).toMatchObject({
      datasource: expect.stringMatching(/^DataSourceNoCloud \[seed=\/dev\/sda\]/),
      recoverableErrors: [],
    })
    const { stdout } = await vm.run(
      'stat -c %a /etc/greeting; cat /etc/greeting /run/ran; grep -om1 "network config disabled by ds" /var/log/cloud-init.log',
    )
    expect(stdout).toBe('640\nyes\nran on debian\nnetwork config disabled by ds\n')
  })

  test('waits for its end, and names the failed module with its log and output', async () => {
    // Runs the last stage again, with a script that fails.
    await vm.writeFile('/var/lib/cloud/instance/scripts/fails', '#!/bin/sh\necho "no such planet" >&2; exit 7\n')
    await vm.run(`chmod +x /var/lib/cloud/instance/scripts/fails
      rm /run/cloud-init/result.json /var/lib/cloud/instance/sem/config_scripts_user
      systemctl restart --no-block cloud-final`)
    const error: unknown = await vm.waitForCloudInit().catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({
      name: 'CloudInitError',
      code: 'CLOUD_INIT_FAILED',
      failures: [{ module: 'scripts-user', stage: 'modules-final', message: expect.stringContaining('RuntimeError') }],
      message: expect.stringMatching(
        /^cloud-init of "vm" failed in the module scripts-user \(modules-final\): Run[^]*Log of scripts-user \(\/var\/log[^]*Failed to run module[^]*Traceback[^]*\n {2}no such planet\n/,
      ),
    })
  }, 300_000)
})
