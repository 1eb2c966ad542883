import { expect, test } from 'vitest'
import { explainMissingFixtures } from './missing-fixtures.ts'

test.each(['vm', 'bootVM'])('the error for a missing fixture `%s` names the import that provides it', (name) => {
  const context = {}
  explainMissingFixtures(context)
  expect(() => Reflect.get(context, name)).toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(new RegExp(`asks for \`${name}\`[^]*from '@coldboot/vitest'`)),
    }),
  )
  expect(Object.keys(context)).toEqual([])
})

test('a fixture that is set later, or exists, is kept', () => {
  const context = { bootVM: 'boot' }
  explainMissingFixtures(context)
  Reflect.set(context, 'vm', 'machine')
  expect(context).toEqual({ bootVM: 'boot', vm: 'machine' })
})
