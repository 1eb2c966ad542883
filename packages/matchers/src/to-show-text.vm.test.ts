import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { display, VM } from '@coldboot/core'
import { expect, onTestFinished, test } from 'vitest'
import { contextOf } from '../test/scripted-machine.ts'
import type { MatcherContext } from './matcher-context.ts'
import { type ShowTextOptions, toShowText } from './to-show-text.ts'

/** A PC whose firmware finds nothing to boot. */
async function project() {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const screen = display()
  const vm = await VM.boot({
    arch: 'x86_64',
    memory: '64M',
    firmware: 'bios-256k.bin',
    devices: [screen],
    timeout: 60_000,
    failOn: { noBootDevice: 'allow' },
    logFile: join(folder, 'console.log'),
  })
  onTestFinished(() => vm.close().then(() => {}))
  const show = (
    shown: unknown,
    text: string | RegExp,
    options?: ShowTextOptions,
    context: Partial<MatcherContext> = {},
  ) => toShowText.call({ ...contextOf(), ...context }, shown, text, options)
  return { vm, screen, folder, show }
}

test('waits for a text on the screen of a display, and on the terminal', async () => {
  const { vm, screen, show } = await project()
  expect(await show(screen, 'No bootable device')).toMatchObject({ pass: true })
  expect(await show(screen.of(vm), /^No bootable device\.$/m)).toMatchObject({ pass: true })
  expect(await show(vm.terminal, 'No bootable device')).toMatchObject({ pass: true })
  expect(await show(screen, 'Windows', { timeout: 300 }, { isNot: true })).toMatchObject({ pass: false })
})

test('fails with the text and a picture of the screen', async () => {
  const { screen, show, folder } = await project()
  await show(screen, 'No bootable device')
  const { pass, message } = await show(screen, 'login:', { timeout: 300 })
  expect(pass).toBe(false)
  expect(message()).toMatch(
    /^vm\.toShowText\("login:", \{ timeout: 300 \}\)\n\nThe screen of "vm" did not show "login:" within 300 ms\n/,
  )
  expect(message()).toMatch(/\n\nScreen:\n {2}SeaBIOS [^]*\n {2}No bootable device\.\n\nPicture:\n/)
  expect(readFileSync(join(folder, 'screen-without-text.png')).toString('latin1', 1, 4)).toBe('PNG')
  const shown = await show(screen, 'SeaBIOS', { timeout: 300 }, { isNot: true })
  expect(shown.message()).toContain('The screen of "vm" shows "SeaBIOS"')
})

test('reports that the machine ended', async () => {
  const { vm, screen, show } = await project()
  await vm.close()
  const { message } = await show(screen, 'login:', { timeout: 300 })
  expect(message()).toContain('"vm" ended before its screen showed "login:"')
})

test('rejects a value that is not a screen, and unknown options', async () => {
  const { vm, show } = await project()
  expect(() => show(vm, 'text')).toThrow(/takes a screen, but got \(VM\)\nPass a `display\(\)`/)
  expect(() => show('text', 'text')).toThrow(/takes a screen, but got "text"/)
  await expect(show(vm.terminal, 'text', { ocr: true })).rejects.toThrow(/toShowText has no option `ocr`/)
  await expect(show(vm.terminal, '')).rejects.toThrow(/a string that is not empty/)
})
