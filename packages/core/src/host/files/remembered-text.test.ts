import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { rememberedText } from './remembered-text.ts'

const FORM = /^\d+$/

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

test('computes a text once', async () => {
  const path = folder()
  await rememberedText(path, 'identity', FORM, () => Promise.resolve('1'))
  expect(await rememberedText(path, 'identity', FORM, () => Promise.reject(new Error('computed again')))).toBe('1')
})

test.each(['', '\0\0\0', '1\n2'])('replaces a stored text of the wrong form: %j', async (stored) => {
  const path = folder()
  await rememberedText(path, 'identity', FORM, () => Promise.resolve('1'))
  const [name = ''] = readdirSync(path)
  writeFileSync(join(path, name), stored)
  expect(await rememberedText(path, 'identity', FORM, () => Promise.resolve('2'))).toBe('2')
  expect(readFileSync(join(path, name), 'utf8')).toBe('2')
})
