import { expect, test } from '@coldboot/vitest'

test('prints an address', async ({ vm }) => {
  vm.send('ip addr show lo; ip link set lo up; ip addr show lo\n')
  const { groups } = await vm.expect(/inet (?<ip>[\d.]+)/)
  expect(groups['ip']).toBe('127.0.0.1')
})

test('answers a question', async ({ vm }) => {
  vm.send('read -p "Format the disk? [y/N] " answer; echo "answer: $answer"\n')
  const { index } = await vm.expect(['? [y/N] ', 'no disk found'])
  expect(index).toBe(0)
  vm.send('y\n')
  await vm.expect('answer: y')
})

test('moves the cursor with each match', async ({ vm }) => {
  vm.send('seq 3; echo end\n')
  await vm.expect('2\n')
  const { before } = await vm.expect('end\n')
  expect(before).toBe('3\n')
  expect(vm.hasPrinted('1\n')).toBeDefined()
})

test('ignores kernel messages in the output of programs', async ({ vm }) => {
  vm.send('printf one; echo "<3>a message" >/dev/kmsg; echo two\n')
  await vm.expect('onetwo', { view: 'userspace' })
})

test('survives a process that took all memory', async ({ bootVM }) => {
  const vm = await bootVM({ failOn: { outOfMemory: 'allow' } })
  vm.send('tail /dev/zero; echo "status $?"\n')
  await vm.expect('status 137', { timeout: 30_000 })
})

test('fails at once when the service gives up', async ({ bootVM }) => {
  const vm = await bootVM({ failOn: { custom: [{ name: 'service', pattern: /serviced: giving up: .*/ }] } })
  vm.send('sleep 1; echo "serviced: giving up""": no disk\n')
  await expect(vm.expect('listening')).rejects.toMatchObject({ code: 'GUEST_CUSTOM_FAILURE' })
})
