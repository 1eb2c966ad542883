import { expect, test } from '@coldboot/vitest'

test('serves copied files', async ({ vm }) => {
  await vm.copyIn('site', '/srv/www')
  await vm.run('httpd -h /srv/www')
  await vm.waitForPort(80)
  const { stdout } = await vm.run('wget -q -O - http://127.0.0.1/')
  expect(stdout).toContain('Hello from the guest')
})

test('passes its own tests', async ({ vm }) => {
  await vm.copyIn('selftest.sh', '/opt/')
  const { tests } = await vm.runTests('/opt/selftest.sh', { format: 'tap' })
  expect(tests.map(({ name }) => name)).toEqual(['loopback is up', 'tmpfs is there'])
})

test('writes its result to a file', async ({ vm }) => {
  await vm.run('(sleep 1; uname -r >/tmp/release) &')
  await vm.waitUntil('grep -q . /tmp/release')
  expect(await vm.readFile('/tmp/release')).toMatch(/^\d+\.\d+/)
})
