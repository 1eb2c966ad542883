import { expect, test } from '@coldboot/vitest'

test('boots with the same log', async ({ vm }) => {
  await expect(vm).toMatchBootLog({
    normalizers: [
      [/serial [A-Z0-9]+/, 'serial <serial>'],
      [/^.*input: .*\n/m, ''], // comes early or late
    ],
    keep: ['sizes'],
  })
})
