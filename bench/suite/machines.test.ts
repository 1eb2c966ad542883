import { expect, test } from '@coldboot/vitest'

for (let number = 1; number <= 100; number++) {
  test(`machine ${number} is fresh`, async ({ vm }) => {
    vm.send(`ls /tmp; touch /tmp/trace; echo number-$((${number} * 7))\n`)
    const { before } = await vm.expect(`number-${number * 7}\n`)
    expect(before).not.toMatch(/^trace$/m)
  })
}
