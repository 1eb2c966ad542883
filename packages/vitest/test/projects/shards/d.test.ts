import { expect, test } from '@coldboot/vitest'

test('adds', () => {
  expect(1 + 1).toBe(2)
})
