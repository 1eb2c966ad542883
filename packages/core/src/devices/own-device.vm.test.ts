/** Tests a custom device that uses only the public interface. */
import { expect, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { type Device, optionString, PerMachine } from '../index.ts'

/** Provides a text to the guest below `/sys/firmware/qemu_fw_cfg`, and queries the status of the machine. */
function note(name: string, text: string): Device & { status(): Promise<string> } {
  const machines = new PerMachine<() => Promise<unknown>>('note')
  return {
    name: 'note',
    claims: [`note:${name}`],
    qemuArgs: () => ['-fw_cfg', optionString(undefined, { name: `opt/example.com/${name}`, string: text })],
    attach: (context) => machines.add(context, () => context.qmp.execute('query-status')),
    status: async () => ((await machines.get()()) as { readonly status: string }).status,
  }
}

test('a custom device works in the guest and can use QMP', async () => {
  const device = note('greeting', 'hello, "guest"=1')
  const vm = await bootLinux({ modules: ['qemu_fw_cfg'] }, [device])
  const file = '/sys/firmware/qemu_fw_cfg/by_name/opt/example.com/greeting/raw'
  expect(await run(vm, `cat ${file}; echo`)).toBe('hello, "guest"=1\n')
  expect(await device.status()).toBe('running')
})
