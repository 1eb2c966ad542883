import { expect, test } from '@coldboot/vitest'

test('greets', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
})

test('waits for what never comes', async ({ vm }) => {
  // HTML and Markdown, as a guest may print them.
  vm.send(`printf '</script><img src=x onerror=alert(1)>\\n%s\\n' '~~~' '\`\`\`\`' "</summary> & *bold*"\n`)
  await vm.expect('*bold*\n', { timeout: 50_000 })
  await vm.expect('never', { timeout: 300 })
})

test('comes right at the second attempt', { retry: 1 }, async ({ vm, task }) => {
  vm.send(`echo attempt-$((${task.result?.retryCount} + 1))\n`)
  await vm.expect(/^attempt-\d/m, { timeout: 50_000 })
  expect(task.result?.retryCount).toBe(1)
})
