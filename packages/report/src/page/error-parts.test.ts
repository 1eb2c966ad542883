import { ExpectError } from '@coldboot/core'
import { layoutSections } from '@coldboot/core/internal'
import { expect, test } from 'vitest'
import { errorParts } from './error-parts.ts'

const error = (message: string) => ({ name: 'Error', message, stack: [] })

test('splits the sections of an error of this project from its sentences', () => {
  const { message } = new ExpectError('EXPECT_TIMEOUT', '"vm" did not print "x"', {
    sections: { 'Closest output': 'one\n\n  two', 'Command line of "vm"': 'qemu', Log: '/log' },
  })
  const parts = errorParts(error(message))
  expect(parts.headline).toBe('"vm" did not print "x"')
  expect(parts.text).not.toBe('')
  expect(parts.sections).toEqual([
    { title: 'Closest output', body: 'one\n\n  two' },
    { title: 'Command line of "vm"', body: 'qemu' },
    { title: 'Log', body: '/log' },
  ])
})

test('keeps a message in another layout unchanged', () => {
  const text = 'expected 1 to be 2\n\nnote:\nnot indented\n\nlast'
  expect(errorParts(error(text))).toEqual({
    headline: 'expected 1 to be 2',
    text: 'note:\nnot indented\n\nlast',
    difference: '',
    sections: [],
  })
})

test('uses the name of an error without a message as its headline', () => {
  expect(errorParts(error('')).headline).toBe('Error')
})

test('keeps section bodies that look like titles', () => {
  const body = 'a:\n\n\nb\n  c:'
  const parts = errorParts(error(`first${layoutSections({ Output: body, Log: '/log' })}`))
  expect(parts.sections).toEqual([
    { title: 'Output', body },
    { title: 'Log', body: '/log' },
  ])
})

test('splits the sections after a diff from it', () => {
  const diff =
    '\x1b[32m- Expected\x1b[39m\n+ Received\n\n  {\n-   "a": 1,\n  }\n\nEnd of the console:\n  one\n\n  two\n\nLog:\n  /log'
  expect(errorParts({ ...error('x'), diff })).toMatchObject({
    difference: '- Expected\n+ Received\n\n  {\n-   "a": 1,\n  }',
    sections: [
      { title: 'End of the console', body: 'one\n\ntwo' },
      { title: 'Log', body: '/log' },
    ],
  })
})
