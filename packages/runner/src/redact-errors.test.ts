import { Redactor } from '@coldboot/report'
import { expect, test } from 'vitest'
import { redactErrors } from './redact-errors.ts'

test('removes a secret from every string of an error, its causes and nested objects', () => {
  const cause = Object.assign(new Error('cause hunter2'), { sections: { Log: 'hunter2' } })
  const error = Object.assign(new Error('is hunter2', { cause }), { diff: '- hunter2', list: [{ a: 'hunter2' }] })
  Object.assign(cause, { cause: error })
  redactErrors([error], new Redactor(['hunter2']))
  expect([error.message, error.diff, error.list, cause.message, cause.sections]).toEqual([
    'is [redacted]',
    '- [redacted]',
    [{ a: '[redacted]' }],
    'cause [redacted]',
    { Log: '[redacted]' },
  ])
  expect(`${error.stack}${cause.stack}`).not.toContain('hunter2')
})
