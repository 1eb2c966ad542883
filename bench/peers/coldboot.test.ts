import { expect, test } from '@coldboot/vitest'

for (let n = 0; n < Number(process.env['PEER_TESTS']); n++) {
  test(`computes ${n}`, async ({ vm }) => {
    vm.send(`echo sum-$((${n} + 1000))\n`)
    await expect(vm).toEventuallyPrint(`sum-${n + 1000}\n`)
  })
}
