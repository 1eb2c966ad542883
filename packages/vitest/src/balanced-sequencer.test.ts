import { expect, test } from 'vitest'
import { type Durations, splitByTime } from './balanced-sequencer.ts'

const identity = (file: string): string => file

/** Files whose times differ by a factor of forty. */
const UNEVEN: Durations = Object.fromEntries(
  Array.from({ length: 40 }, (_, index) => [`:test-${index}.test.ts`, 40_000 / (index + 1)]),
)

function times(shards: readonly (readonly string[])[], durations: Durations): number[] {
  return shards.map((files) => files.reduce((sum, file) => sum + (durations[file] ?? 0), 0))
}

test.each([2, 3, 4])('the longest of %i shards takes at most 1.15 times the mean', (count) => {
  const shards = splitByTime(Object.keys(UNEVEN), identity, UNEVEN, count) ?? []
  const each = times(shards, UNEVEN)
  const mean = each.reduce((sum, time) => sum + time, 0) / count
  expect(each).toHaveLength(count)
  expect(Math.max(...each) / mean).toBeLessThanOrEqual(1.15)
})

test('every file is in one shard, for any order of the files', () => {
  const files = [...Object.keys(UNEVEN), ':new.test.ts']
  const shards = splitByTime(files, identity, UNEVEN, 3)
  expect(shards?.flat().toSorted()).toEqual(files.toSorted())
  expect(splitByTime(files.toReversed(), identity, UNEVEN, 3)).toEqual(shards)
})

test('a file without a known duration counts as the mean of the others', () => {
  const durations = { a: 100, b: 200, c: 300 }
  expect(splitByTime(['a', 'b', 'c', 'new'], identity, durations, 2)).toEqual([
    ['c', 'a'],
    ['b', 'new'],
  ])
})

test('files are not split by time if no duration is known', () => {
  expect(splitByTime(['a', 'b'], identity, { other: 5 }, 2)).toBeUndefined()
})
