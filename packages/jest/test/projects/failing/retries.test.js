import { useVM } from '@coldboot/jest'
import { expect, jest, test } from '@jest/globals'

jest.retryTimes(1)

const vm = useVM()

let attempts = 0
test('fails twice', async () => {
  vm().send(`echo attempt-$((0 + ${++attempts}))\n`)
  await vm().expect(/attempt-\d/)
  expect(vm().state).toBe('exited')
})

const pids = []
test('fails at first', () => {
  pids.push(vm().pid)
  expect(new Set(pids).size).toBe(2)
})
