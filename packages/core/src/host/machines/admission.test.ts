import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { type Admission, type AdmissionLimits, admit } from './admission.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const two: AdmissionLimits = { maxMachines: 2, memoryMib: 1024 }

/** Requests an admission, and records the wait and the admission. */
function ask(name: string, log: string[], memoryMib = 256, limits = two): Promise<Admission> {
  const request = { memoryMib, limits, directory, onWait: (ahead: number) => log.push(`${name} waits for ${ahead}`) }
  return admit(request).then((admission) => {
    log.push(name)
    return admission
  })
}

test('admits a machine that fits at once, and leaves no file', async () => {
  const log: string[] = []
  using _a = await ask('a', log)
  {
    using _b = await ask('b', log)
  }
  using _c = await ask('c', log)
  expect(log).toEqual(['a', 'b', 'c'])
  expect(readdirSync(directory)).toHaveLength(2)
})

test('a machine that does not fit waits, first come, first served, and is notified', async () => {
  const log: string[] = []
  const first = await Promise.all([ask('a', log), ask('b', log)])
  const second = [ask('c', log), ask('d', log)]
  first[1][Symbol.dispose]()
  ;(await second[0])?.[Symbol.dispose]()
  using _d = await (second[1] as Promise<Admission>)
  expect(log).toEqual(['a', 'b', 'c waits for 2', 'd waits for 3', 'c', 'd'])
  first[0][Symbol.dispose]()
})

test('limits memory, and does not let a small machine overtake a large one', async () => {
  const log: string[] = []
  const large = await ask('large', log, 700)
  const larger = ask('larger', log, 800)
  const small = ask('small', log, 100)
  large[Symbol.dispose]()
  using _larger = await larger
  using _small = await small
  expect(log).toEqual(['large', 'larger waits for 1', 'small waits for 2', 'larger', 'small'])
})

test('rejects a machine that alone exceeds the limits', async () => {
  await expect(ask('huge', [], 2048)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  expect(readdirSync(directory)).toEqual([])
})

test('admits one machine in excess of the limits if all owners wait for another one', async () => {
  const log: string[] = []
  const hold = (name: string, owner: string): Promise<Admission> =>
    admit({
      ...{ memoryMib: 256, limits: two, directory, owner },
      onWait: (ahead) => log.push(`${name} waits for ${ahead}`),
      onDeadlock: (running) => log.push(`${name} is one too many beside ${running}`),
    }).then((admission) => {
      log.push(name)
      return admission
    })
  const [a, b] = await Promise.all([hold('a', 'A'), hold('b', 'B')])
  const other = hold('other a', 'A')
  const another = hold('other b', 'B')
  const [first] = [await other]
  expect(log).toEqual([
    'a',
    'b',
    'other a waits for 2',
    'other b waits for 3',
    'other a is one too many beside 2',
    'other a',
  ])
  for (const admission of [a, first]) admission[Symbol.dispose]()
  using _b = b
  using _other = await another
  expect(log.at(-1)).toBe('other b')
})

test('admits another machine of an owner that has all running machines', async () => {
  const one = { memoryMib: 256, limits: { maxMachines: 1, memoryMib: 1024 }, directory, owner: 'A' }
  using _a = await admit(one)
  let beside = 0
  using _b = await admit({ ...one, onDeadlock: (running) => (beside = running) })
  expect(beside).toBe(1)
})

test('removes an aborted wait from the queue', async () => {
  const one = { maxMachines: 1, memoryMib: 1024 }
  using _a = await ask('a', [], 256, one)
  const controller = new AbortController()
  const waiting = admit({ memoryMib: 256, limits: one, directory, signal: controller.signal })
  const reason = new Error('over')
  controller.abort(reason)
  await expect(waiting).rejects.toMatchObject({ code: 'EXPECT_ABORTED', cause: reason })
  expect(readdirSync(directory)).toHaveLength(1)
})

test('ignores entries of dead processes', async () => {
  const script = fileURLToPath(new URL('../../../test/admitted.ts', import.meta.url))
  const child = spawn(process.execPath, [script, directory], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  await once(child.stdout, 'data')
  const log: string[] = []
  const waiting = ask('next', log, 256, { maxMachines: 1, memoryMib: 1024 })
  child.kill('SIGKILL')
  using _next = await waiting
  expect(log).toEqual(['next waits for 1', 'next'])
})
