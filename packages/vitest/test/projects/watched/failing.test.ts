import { describe, expect, test } from '@coldboot/vitest'
import { firmware } from './firmware.ts'

describe('two machines', () => {
  test.override('vmOptions', firmware)

  test('do not agree', async ({ bootVM }) => {
    const [left, right] = await Promise.all([bootVM({ name: 'left' }), bootVM({ name: 'right' })])
    expect(left.name).toBe(right.name)
  })
})
