import { utimesSync } from 'node:fs'
import { afterEach, expect, vi } from 'vitest'
import { test } from '../../test/scratch.ts'
import { type MkfatfsOptions, mkfatfs, readFatImage } from '../index.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const EPOCH = Date.UTC(2015, 0, 1) / 1000

async function timesOf(directory: string, timestamps?: MkfatfsOptions['timestamps']) {
  const image = await mkfatfs({ directory, ...(timestamps !== undefined && { timestamps }) })
  await using read = await readFatImage(await image.toBytes())
  return (await read.list()).map(({ path, modified }) => `${path} ${modified?.getUTCFullYear()}`)
}

test.for([
  ['clamps newer times and keeps older ones', undefined, ['new 2015', 'old 2005']],
  ['clamps on request', 'clamp', ['new 2015', 'old 2005']],
  ['is ignored when times are kept', 'keep', ['new 2020', 'old 2005']],
  ['is ignored with one time for all', new Date('2018-01-01'), ['new 2018', 'old 2018']],
] as const)('SOURCE_DATE_EPOCH %s', async ([, timestamps, years], { scratch }) => {
  const source = scratch.tree('source', { new: 'x', old: 'x' })
  utimesSync(`${source}/new`, 0, Date.UTC(2020, 1) / 1000)
  utimesSync(`${source}/old`, 0, Date.UTC(2005, 1) / 1000)
  vi.stubEnv('SOURCE_DATE_EPOCH', String(EPOCH))
  expect(await timesOf(source, timestamps)).toEqual(years)
})

test('times are kept without SOURCE_DATE_EPOCH, or when it is empty', async ({ scratch }) => {
  const source = scratch.tree('source', { new: 'x' })
  utimesSync(`${source}/new`, 0, Date.UTC(2020, 1) / 1000)
  for (const value of [undefined, '']) {
    vi.stubEnv('SOURCE_DATE_EPOCH', value)
    expect(await timesOf(source)).toEqual(['new 2020'])
  }
})

test.for(['yesterday', '-1', '1.5'])('refuses a SOURCE_DATE_EPOCH of %s', async (value, { scratch }) => {
  vi.stubEnv('SOURCE_DATE_EPOCH', value)
  await expect(mkfatfs({ directory: scratch.tree('source', {}) })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining(`SOURCE_DATE_EPOCH is "${value}"`),
  })
})
