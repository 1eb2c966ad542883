import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, type MockInstance, onTestFinished, test, vi } from 'vitest'
import { expectAnswer, quickGuest } from '../../test/quick-guest.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { VM } from '../machine/vm.ts'
import { endPool } from './pool/end-pool.ts'
import { startReady } from './start-ready.ts'
import { Template } from './template.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const guest = quickGuest(join(folder, 'quick.img'))
let warned: MockInstance<typeof process.emitWarning>

beforeAll(() => {
  warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
})
afterEach(async () => {
  await endPool()
  warned.mockClear()
  vi.unstubAllEnvs()
})
afterAll(() => {
  warned.mockRestore()
  rmSync(folder, { recursive: true, force: true })
  expect(liveMachines()).toEqual([])
})

/** Checks that the machine works, and that the given warning was emitted. */
async function expectServed(vm: VM, warning: RegExp): Promise<void> {
  onTestFinished(() => vm.close().then(() => {}))
  await expectAnswer(vm)
  expect(warned.mock.calls.map(([message]) => String(message))).toEqual([expect.stringMatching(warning)])
}

describe('a machine boots without a template', () => {
  test('a machine boots if the cache folder is not writable', async () => {
    const file = join(folder, 'no-folder')
    writeFileSync(file, '')
    vi.stubEnv('COLDBOOT_CACHE', join(file, 'cache'))
    await expectServed(
      await startReady(guest),
      /^No template is used, so machines boot for every test\. The cache folder .*no-folder\/cache/,
    )
    await expect(startReady({ ...guest, template: 'required' })).rejects.toMatchObject({
      code: 'CACHE_UNUSABLE',
      hint: expect.stringContaining('COLDBOOT_CACHE'),
    })
  })

  test('a machine boots if the disk is too small for the memory of the guest', async ({ skip }) => {
    const disk = join(folder, 'small')
    mkdirSync(disk)
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', disk], { stdio: 'ignore' })
    } catch {
      skip('a small disk cannot be mounted by this user')
    }
    onTestFinished(() => void execFileSync('umount', ['--lazy', disk]))
    vi.stubEnv('COLDBOOT_CACHE', disk)
    await expectServed(
      await startReady(guest),
      /^No template is used, so machines boot for every test\. The cache folder .*small.*no space/,
    )
    expect(readdirSync(join(disk, 'templates')).filter((name) => !name.endsWith('.lock'))).toEqual([])
  })

  test('a machine boots if the cache becomes unusable before its template or a layer is saved', async () => {
    const cache = join(folder, 'lost')
    vi.stubEnv('COLDBOOT_CACHE', cache)
    const lose = (): void => {
      for (const name of readdirSync(cache))
        if (name.startsWith('.new-')) rmSync(join(cache, name), { recursive: true })
    }
    const warning = /^No template is used, so machines boot for every test\. The cache folder .*lost.*ENOENT/
    await expectServed(await startReady(guest, { onBoot: lose }), warning)
    await Template.build(guest)
    warned.mockClear()
    await expectServed(await startReady({ ...guest, prepare: [lose] }), warning)
  })

  test('a machine boots if its template is removed during the start', async () => {
    const cache = join(folder, 'pruned')
    vi.stubEnv('COLDBOOT_CACHE', cache)
    const template = await Template.build(guest)
    rmSync(join(cache, 'templates', template.key, 'files'), { recursive: true })
    await expectServed(await template.start(), /^A template could not be restored and was removed/)
    expect(readdirSync(join(cache, 'templates'))).not.toContain(template.key)
  })

  test('a machine boots if its template was removed before the start', async () => {
    vi.stubEnv('COLDBOOT_CACHE', join(folder, 'removed'))
    const template = await Template.build(guest)
    await template.remove()
    await expectServed(await template.start(), /^A template is missing or damaged\. The machine boots instead\.$/)
  })
})

test('a machine that boots ends if the callback for it fails', async () => {
  const fail = (): never => {
    throw new Error('of the callback')
  }
  await expect(startReady({ ...guest, template: 'off' }, { onBoot: fail })).rejects.toThrow('of the callback')
  expect(liveMachines()).toEqual([])
})

test('a machine boots if the restored one ends before its guest runs', async () => {
  vi.stubEnv('COLDBOOT_CACHE', join(folder, 'killed'))
  await Template.build(guest)
  const kill = (vm: VM): void => void process.kill(vm.pid, 'SIGKILL')
  await expectServed(
    await startReady(guest, { onRestore: kill }),
    /^A template could not be restored and was removed\..*QEMU/,
  )
})

test('saves a machine with a long path of the temporary folder', async () => {
  const long = join(folder, 'long'.repeat(30))
  mkdirSync(long)
  vi.stubEnv('TMPDIR', long)
  vi.stubEnv('COLDBOOT_CACHE', join(long, 'cache'))
  const before = readdirSync('/tmp')
  await using vm = await startReady({ ...guest, template: 'required' })
  await expectAnswer(vm)
  expect(readdirSync('/tmp').filter((name) => name.startsWith('coldboot-save-') && !before.includes(name))).toEqual([])
})
