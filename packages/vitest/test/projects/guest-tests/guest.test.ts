import { expect, test } from '@coldboot/vitest'

const REPORT = `KTAP version 1
1..2
  1..3
  ok 1 bind
    # connect: EXPECTATION FAILED at net.c:7
    # connect: expected 1, got 0
  not ok 2 connect
  ok 3 listen # SKIP no hardware
not ok 1 net
ok 2 disk
`

test("passes with its guest's tests", async ({ vm }) => {
  const { tests } = await vm.runTests("printf '1..2\\nok 1 - adds\\nok 2 - divides\\n'", { format: 'tap' })
  expect(tests).toHaveLength(2)
})

test('fails with them', async ({ vm }) => {
  await vm.writeFile('/tmp/report', REPORT)
  await vm.runTests(['cat', '/tmp/report'], { format: 'ktap' })
})

test('looks at them itself', async ({ vm }) => {
  await vm.writeFile('/tmp/report', REPORT)
  const { tests } = await vm.runTests('cat /tmp/report', { format: 'ktap', check: false })
  expect(tests.filter(({ status }) => status === 'failed')).toHaveLength(0)
})

test('shows again what fails', { retry: 1 }, async ({ vm, task }) => {
  const verdict = task.result?.retryCount ? 'ok' : 'not ok'
  await vm.runTests(`echo 1..1; echo ${verdict} 1 - flaky`, { format: 'tap' })
})
