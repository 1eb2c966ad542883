import { display } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { expect, test } from '@coldboot/vitest'

test('types on the screen of the machine', async ({ bootVM }) => {
  const guest = await linuxGuest({ arch: 'x86_64', modules: ['bochs', 'atkbd'] })
  const screen = display()
  const vm = await bootVM({ ...guest, devices: [screen] })
  vm.send('(clear; printf "Name: "; read -r name; echo "Hello, $name!") </dev/tty1 >/dev/tty1\n')
  await expect(screen).toShowText('Name:')
  await screen.type('World\n')
  await expect(screen).toShowText('Hello, World!')
  await screen.press('ctrl-alt-f2')
})

test('chooses an entry of a menu', async ({ bootVM }) => {
  const vm = await bootVM({ terminal: true })
  await vm.copyIn('fixtures/menu.sh', '/tmp/menu.sh')
  vm.send('sh /tmp/menu.sh\n')
  await expect(vm.terminal).toShowText('> sda')
  await vm.terminal.press('ArrowDown')
  await expect(vm.terminal).toShowText('> sdb')
  expect(await vm.terminal.line(0)).toBe('Select a disk')
  await vm.terminal.press('enter')
  await vm.expect('selected sdb')
})

test('keeps the web server up during an upgrade', async ({ bootVM }) => {
  const vm = await bootVM()
  await vm.run('mkdir -p /srv && echo ok >/srv/health && httpd -p 8080 -h /srv')
  await vm.waitForPort(8080)
  await vm.during(
    () => vm.run('wget -q -O - http://127.0.0.1:8080/health'),
    async () => {
      await vm.run('cp /srv/health /srv/health.new && mv /srv/health.new /srv/health')
    },
  )
})
