import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { registerMachine } from '../host/machines/live-machines.ts'
import { createPipes } from './pipe-stock.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Another machine, during which the stock is used. */
let other: Disposable
beforeEach(() => {
  other = registerMachine({ name: 'other', directory: join(folder, 'other'), kill() {} })
})
afterEach(() => other[Symbol.dispose]())
const reason = process.platform === 'linux' ? '' : ' (named pipes are only used on Linux)'

test.skipIf(reason !== '')(`pipes are created for any number of machines at once${reason}`, async () => {
  const paths = Array.from({ length: 40 }, (_, index) => join(folder, String(index)))
  expect(await Promise.all(paths.map(createPipes))).toEqual(paths.map(() => true))
  const files = paths.flatMap((path) => [statSync(`${path}.in`), statSync(`${path}.out`)])
  expect(files.filter((file) => !file.isFIFO() || (file.mode & 0o777) !== 0o600)).toEqual([])
  expect(new Set(files.map(({ ino }) => ino)).size).toBe(80)
})

test.skipIf(reason !== '')(`pipes are created after the stock was lost${reason}`, async () => {
  const temporary = mkdtempSync(join(folder, 'temporary-'))
  vi.stubEnv('TMPDIR', temporary)
  expect(await createPipes(join(folder, 'before'))).toBe(true)
  rmSync(temporary, { recursive: true })
  vi.unstubAllEnvs()
  for (let index = 0; index < 40; index++) expect(await createPipes(join(folder, `after-${index}`))).toBe(true)
})

test.skipIf(reason !== '')(`nothing of the stock is left after the last machine${reason}`, async () => {
  const temporary = mkdtempSync(join(folder, 'temporary-'))
  vi.stubEnv('TMPDIR', temporary)
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  const entries = () => readdirSync(join(temporary, `coldboot-${process.getuid?.()}`))
  expect(await createPipes(join(folder, 'last'))).toBe(true)
  expect(entries()).toHaveLength(1)
  other[Symbol.dispose]()
  expect(entries()).toEqual([])
})

test.skipIf(reason !== '')(`an impossible place is reported${reason}`, async () => {
  expect(await createPipes(join(folder, 'missing', 'console'))).toBe(false)
})
