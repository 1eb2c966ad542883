import { describe, expect, test } from '@coldboot/vitest'

describe('two machines', () => {
  test('do not agree', async ({ bootVM }) => {
    const [left, right] = await Promise.all([bootVM({ name: 'left' }), bootVM({ name: 'right' })])
    left.send('echo side-$((1))\n')
    right.send('echo side-$((2))\n')
    const sides = await Promise.all([left, right].map((vm) => vm.expect(/side-\d/, { timeout: 50_000 })))
    expect(sides[0]?.text).toBe(sides[1]?.text)
  })

  test.skip('are far apart', () => {})
})

test('fails without a machine', () => {
  expect({ answer: 42 }).toEqual({ answer: 43 })
})
