/** A distribution as its users have it: what this project put into its own guests is not there. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { commandContract } from '../../test/command-contract.ts'
import { noDebian, PASSWORD, USER } from '../../test/debian/debian-image.ts'
import { debianMachine } from '../../test/debian/debian-machine.ts'
import { VM } from '../vm.ts'

const reason = noDebian()

describe.skipIf(reason !== undefined)(`Debian${reason === undefined ? '' : ` (${reason})`}`, () => {
  let vm: VM
  beforeAll(async () => {
    vm = await VM.start(await debianMachine())
    await vm.ready()
  }, 900_000)
  afterAll(() => vm?.close())

  test('is up, with nothing in it that failed', async () => {
    const { stdout } = await vm.run(
      'systemctl is-system-running --wait; systemctl list-units --failed --plain --no-legend',
    )
    expect(stdout).toBe('running\n')
  })

  commandContract('guest-agent', () => vm)

  describe('behind the password of its getty', () => {
    beforeAll(async () => {
      vm.send(`${USER}\n`)
      await vm.expect('Password: ')
      vm.send(`${PASSWORD}\n`)
      await vm.expect('$ ')
    }, 120_000)

    test('its shell is that of the user', async () => {
      expect((await vm.run('id -un; pwd', { way: 'shell' })).stdout).toBe(`${USER}\n/home/${USER}\n`)
    })

    commandContract('shell', () => vm, { kernelLog: false })
  })
})
