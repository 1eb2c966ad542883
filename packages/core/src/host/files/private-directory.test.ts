import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { isAlive, ownerIn, thisProcess } from '../process-identity.ts'
import { makePrivateDirectory, makePrivateDirectorySync, sweep } from './private-directory.ts'
import { makeSocketDirectory } from './socket-directory.ts'

let temporary: string
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  vi.stubEnv('TMPDIR', temporary)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(temporary, { recursive: true })
})

test('creates a private directory and removes it with its content', async () => {
  const directory = await makePrivateDirectory()
  expect(statSync(directory.path).mode & 0o777).toBe(0o700)
  expect(statSync(dirname(directory.path)).mode & 0o777).toBe(0o700)
  expect(ownerIn(basename(directory.path))).toBe(thisProcess())
  writeFileSync(join(directory.path, 'file'), '')
  await directory.remove()
  await directory.remove()
  expect(existsSync(directory.path)).toBe(false)
})

test('a directory for a socket is private, and removes those of killed processes first', () => {
  const first = makePrivateDirectorySync(temporary)
  expect(statSync(first).mode & 0o777).toBe(0o700)
  expect(ownerIn(basename(first))).toBe(thisProcess())
  const dead = join(dirname(first), '4194305-1-0-XXXXXX'.replace('-0-', `-${thisProcess().split('-')[2]}-`))
  mkdirSync(dead)
  const second = makePrivateDirectorySync(temporary)
  expect([first, dead, second].map((path) => existsSync(path))).toEqual([true, false, true])
})

test('names an unusable temporary folder, with a hint', async () => {
  writeFileSync(join(temporary, 'file'), '')
  vi.stubEnv('TMPDIR', join(temporary, 'file'))
  await expect(makePrivateDirectory()).rejects.toMatchObject({
    code: 'START_FAILED',
    message: expect.stringMatching(/file\/coldboot-[^]*TMPDIR/),
  })
})

test('ignores a directory of a dead process that cannot be removed', async ({ skip }) => {
  if (process.getuid?.() === 0) skip('root removes everything')
  const [, , namespace] = thisProcess().split('-')
  const left = join(temporary, `1-1-${namespace}-dead`)
  const locked = join(left, 'locked')
  mkdirSync(locked, { recursive: true })
  writeFileSync(join(locked, 'file'), '')
  chmodSync(locked, 0o500)
  sweep(temporary)
  expect(existsSync(left)).toBe(true)
  chmodSync(locked, 0o700)
  sweep(temporary)
  expect(existsSync(left)).toBe(false)
})

test('rejects a folder that other users can read', async () => {
  const directory = await makePrivateDirectory()
  await directory.remove()
  chmodSync(dirname(directory.path), 0o755)
  await expect(makePrivateDirectory()).rejects.toMatchObject({ code: 'START_FAILED' })
})

test.runIf(existsSync('/proc/self/ns/pid'))('removes directories of ended processes, and no others', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' })
  await once(child, 'spawn')
  const [, , namespace] = thisProcess().split('-')
  const startTime = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ')[21]
  const identity = `${child.pid}-${startTime}-${namespace}`
  const names = [`${identity}-a`, `${thisProcess()}-b`, `${child.pid}-1-${namespace}-c`, `1-1-1-d`, 'notes']
  for (const name of names) mkdirSync(join(temporary, name))
  const left = () => names.filter((name) => existsSync(join(temporary, name))).map((name) => name.at(-1))
  sweep(temporary)
  // `c` has the pid of the child, but another start time. `d` belongs to another pid namespace.
  expect(left()).toEqual(['a', 'b', 'd', 's'])
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(isAlive(identity)).toBe(false)
  sweep(temporary)
  expect(left()).toEqual(['b', 'd', 's'])
})

test('a directory for a socket is below /tmp if the path of TMPDIR is too long', () => {
  const long = join(temporary, 'x'.repeat(60))
  mkdirSync(long)
  vi.stubEnv('TMPDIR', long)
  const directory = makeSocketDirectory('socket')
  onTestFinished(() => rmSync(directory, { recursive: true }))
  expect(directory).toMatch(/^\/tmp\/coldboot-/)
  expect(ownerIn(basename(directory))).toBe(thisProcess())
})
