/** Runs in parallel with the endless test, and fails on request. */

import { once } from 'node:events'
import { existsSync, watch } from 'node:fs'
import { expect, test } from '@jest/globals'

test(
  'waits',
  async () => {
    const changes = watch('.')
    while (!existsSync('go')) await once(changes, 'change')
    changes.close()
    expect('this').toBe('a failure')
  },
  2 ** 31,
)
