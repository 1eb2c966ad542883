/** A second test file, so that Jest starts workers. */

import { expect, test } from '@jest/globals'

test('passes', () => {
  expect(1 + 1).toBe(2)
})
