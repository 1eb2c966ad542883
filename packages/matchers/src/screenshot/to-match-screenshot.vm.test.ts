import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { display, type MachineOptions, VM } from '@coldboot/core'
import { PNG } from 'pngjs'
import { expect, onTestFinished, test } from 'vitest'
import { contextOf } from '../../test/scripted-machine.ts'
import type { MatcherContext } from '../matcher-context.ts'
import { toMatchScreenshot } from './to-match-screenshot.ts'

/** A folder with one test file, and a PC whose firmware finds nothing to boot. */
async function project(options: MachineOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const logFile = join(folder, 'logs', 'console.log')
  const vm = await VM.boot({
    arch: 'x86_64',
    memory: '64M',
    firmware: 'bios-256k.bin',
    devices: [display()],
    timeout: 60_000,
    failOn: { noBootDevice: 'allow' },
    logFile,
    ...options,
  })
  onTestFinished(() => vm.close().then(() => {}))
  const context = (mode: string, more: Partial<MatcherContext> = {}): MatcherContext => ({
    ...contextOf(),
    testPath: join(folder, 'screen.test.ts'),
    currentTestName: 'shows the firmware',
    snapshotState: { snapshotUpdateState: mode },
    ...more,
  })
  const baseline = (name: string): string => join(folder, '__screenshots__', 'screen.test.ts', `${name}.png`)
  return { vm, context, baseline, logs: join(folder, 'logs') }
}

test('writes a screenshot when the screen stops changing, and compares it later', async () => {
  const { vm, context, baseline, logs } = await project()
  await vm.expect('No bootable device')
  const match = (mode: string, options = {}) => toMatchScreenshot.call(context(mode), vm, { name: 'menu', ...options })

  const missing = await match('none')
  expect(missing.pass).toBe(false)
  expect(missing.message()).toContain('and this run does not write screenshots (as in CI)\n')
  expect(existsSync(baseline('menu'))).toBe(false)
  expect(readdirSync(logs)).toContain('menu.actual.png')

  expect(await match('new')).toMatchObject({ pass: true })
  const { width, height } = PNG.sync.read(readFileSync(baseline('menu')))
  expect([width, height]).toEqual([720, 400])
  expect(await match('none')).toMatchObject({ pass: true })

  // Another text in the first line.
  const other = PNG.sync.read(readFileSync(baseline('menu')))
  other.data.fill(0xff, (8 * width + 100) * 4, (8 * width + 140) * 4)
  writeFileSync(baseline('menu'), PNG.sync.write(other))
  const { pass, message } = await match('none', { timeout: 1_500 })
  expect(pass).toBe(false)
  expect(message()).toMatch(
    /did not match the screenshot within 1\.5 s: \d+ of 288,000 pixels differ, in a box of \d+ × 1 at x 1\d\d, y 8\n/,
  )
  for (const what of ['expected', 'actual', 'difference']) {
    expect(message()).toContain(`  ${what}: ${join(logs, `menu.${what}.png`)}\n`)
    expect(PNG.sync.read(readFileSync(join(logs, `menu.${what}.png`))).width).toBe(720)
  }
  expect(await match('none', { maxDiffPixels: 40 })).toMatchObject({ pass: true })
  expect(await match('none', { mask: [{ x: 100, y: 0, width: 40, height: 16 }] })).toMatchObject({ pass: true })

  expect(await match('all')).toMatchObject({ pass: true })
  expect(await match('none')).toMatchObject({ pass: true })
  const not = toMatchScreenshot.call(context('none', { isNot: true }), vm, { name: 'menu' })
  expect(await not).toMatchObject({ pass: true })
})

test('waits until the screen matches the screenshot', async () => {
  const first = await project()
  await first.vm.expect('No bootable device')
  expect(await toMatchScreenshot.call(first.context('new'), first.vm)).toMatchObject({ pass: true })
  const second = await VM.boot(
    first.vm.spec.firmware === undefined ? {} : { ...options(first.vm), devices: [display()] },
  )
  onTestFinished(() => second.close().then(() => {}))
  // The second machine has just started.
  expect(await toMatchScreenshot.call(first.context('none'), second)).toMatchObject({ pass: true })
})

function options({ spec }: VM): MachineOptions {
  return {
    arch: spec.arch,
    memory: '64M',
    firmware: 'bios-256k.bin',
    timeout: 60_000,
    failOn: { noBootDevice: 'allow' },
  }
}

test('does not wait for a guest that failed or a machine that ended', async () => {
  const { vm, context } = await project({ failOn: {} })
  await expect(vm.expect('never')).rejects.toMatchObject({ code: 'GUEST_NOT_BOOTED' })
  await toMatchScreenshot.call(context('all'), vm)
  const other = new PNG({ width: 2, height: 2 })
  writeFileSync(
    join(vm.logFile, '..', '..', '__screenshots__', 'screen.test.ts', 'shows-the-firmware.png'),
    PNG.sync.write(other),
  )
  const machine = await toMatchScreenshot.call(context('none'), vm, { name: 'shows-the-firmware' })
  expect(machine.message()).toMatch(
    /"vm" failed before its screen matched the screenshot \(No bootable device.*\): its size is 720 × 400 pixels, not 2 × 2\n/,
  )
  await vm.close()
  const closed = await toMatchScreenshot.call(context('none'), vm, { name: 'shows-the-firmware' })
  expect(closed.message()).toContain('could be taken')
})

test('refuses a machine without a screen', async () => {
  const { vm, context } = await project({ devices: [] })
  await expect(toMatchScreenshot.call(context('new'), vm)).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('devices: [display()]'),
  })
})

test('compares a part of the screen', async () => {
  const { vm, context, baseline } = await project()
  await vm.expect('No bootable device')
  const match = (area: object, mode = 'new') =>
    toMatchScreenshot.call(context(mode), vm, { name: 'part', timeout: 2_000, area: area as never })
  expect(await match({ x: 0, y: 0, width: 360, height: 16 })).toMatchObject({ pass: true })
  const { width, height } = PNG.sync.read(readFileSync(baseline('part')))
  expect([width, height]).toEqual([360, 16])
  expect(await match({ x: 0, y: 0, width: 360, height: 16 }, 'none')).toMatchObject({ pass: true })
  expect(await match({ x: 0, y: 32, width: 360, height: 16 }, 'none')).toMatchObject({ pass: false })
  await expect(match({ x: 700, y: 0, width: 360, height: 16 })).rejects.toThrow(
    /not on the screen, which has 720 by 400/,
  )
  await expect(match({ x: 0.5, y: 0, width: 1, height: 1 })).rejects.toThrow(/`area` must be a box/)
})

test('accepts any of several screenshots, and reports the closest', async () => {
  const { vm, context, baseline, logs } = await project()
  await vm.expect('No bootable device')
  const match = (name: readonly string[], mode: string) =>
    toMatchScreenshot.call(context(mode), vm, { name, timeout: 1_500 })
  expect(await match(['one'], 'new')).toMatchObject({ pass: true })
  const changed = (from: number, to: number): Buffer => {
    const png = PNG.sync.read(readFileSync(baseline('one')))
    png.data.fill(0xff, from * 4, to * 4)
    return PNG.sync.write(png)
  }
  writeFileSync(baseline('near'), changed(0, 40))
  writeFileSync(baseline('far'), changed(0, 4_000))
  expect(await match(['far', 'one'], 'none')).toMatchObject({ pass: true })
  const { pass, message } = await match(['far', 'near', 'missing'], 'none')
  expect(pass).toBe(false)
  expect(message()).toContain('near.expected.png')
  expect(readdirSync(logs)).not.toContain('far.expected.png')
  // With -u, the name that has no screenshot gets one.
  expect(await match(['far', 'near', 'missing'], 'all')).toMatchObject({ pass: true })
  expect(await match(['missing'], 'none')).toMatchObject({ pass: true })
  await expect(match(['one', 'one'], 'none')).rejects.toThrow(/a list of different strings/)
})
