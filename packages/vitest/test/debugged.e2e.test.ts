import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'
import { runInTerminal } from './terminal-run.ts'

let project: InstalledProject
beforeAll(() => {
  project = installProject('debugged')
})
afterAll(() => project[Symbol.dispose]())

/** Whether tests with gdb are skipped. Those in gdb.vm.test.ts state the reason in their title. */
const noGdb = spawnSync('gdb', ['--version']).error !== undefined

const LEAVE = '\x1d'

describe('in a terminal', () => {
  test.for([
    ['forks', '--pool=forks', undefined],
    ['threads, with a long path of the temporary folder', '--pool=threads', 'long'.repeat(30)],
  ] as const)('debug() connects the console to the terminal (%s)', async ([, pool, name]) => {
    const folder = name === undefined ? undefined : join(project.root, name)
    if (folder !== undefined) mkdirSync(folder, { recursive: true })
    const run = runInTerminal(project.root, ['run', 'debugged', pool], folder === undefined ? {} : { TMPDIR: folder })
    await run.shows('This terminal is now the console of "vm"')
    await run.shows('coldboot# ')
    // Longer than the timeout of the test.
    run.type('sleep 2; echo typed-$((40 + 2))\r')
    await run.shows('typed-42')
    run.type(LEAVE)
    await run.shows('Back to the test')
    const { screen, exitCode } = await run.ended
    expect(screen).toMatch(/Tests +1 passed/)
    expect(exitCode).toBe(0)
  })

  test('COLDBOOT_DEBUG=on-failure opens the console of a failed test', async () => {
    const run = runInTerminal(project.root, ['run', 'failing'], { COLDBOOT_DEBUG: 'on-failure' })
    await run.shows('"fails" has failed: "vm" did not print "never"')
    await run.shows('coldboot# ')
    run.type('echo looking-$((40 + 2))\r')
    await run.shows('looking-42')
    run.type(LEAVE)
    await run.shows('Back to the test')
    const { screen, exitCode } = await run.ended
    expect(screen).toMatch(/Tests +1 failed/)
    expect(exitCode).toBe(1)
  })

  test.skipIf(noGdb)('COLDBOOT_DEBUG=gdb stops the machine of a failed test for gdb', async () => {
    const run = runInTerminal(project.root, ['run', 'failing'], { COLDBOOT_DEBUG: 'gdb' })
    await run.shows('"fails" has failed: "vm" did not print "never"')
    await run.shows('The CPUs of "vm" are stopped. Connect from another terminal:')
    await run.shows('This terminal is now the console of "vm"')
    const [command = ''] = /^gdb .*'target remote .*'/m.exec(run.screen()) ?? []
    const registers = execFileSync('sh', ['-c', `${command} -nx -batch -ex 'info registers'`], { encoding: 'utf8' })
    expect(registers).toMatch(/^(?:rip|pc) +0x[0-9a-f]+/m)
    run.type(LEAVE)
    await run.shows('Back to the test')
    expect((await run.ended).exitCode).toBe(1)
  })

  test('debug() receives the keys that are commands in watch mode', async () => {
    const run = runInTerminal(project.root, ['watch', 'debugged'])
    await run.shows('This terminal is now the console of "vm"')
    await run.shows('coldboot# ')
    // Each of these keys is a command in watch mode; q quits.
    run.type('echo qqaaffqq-$((40 + 2))\r')
    await run.shows('qqaaffqq-42')
    run.type(LEAVE)
    await run.shows('Tests  1 passed')
    await run.shows('Waiting for file changes')
    run.type('q')
    expect((await run.ended).exitCode).toBe(0)
  })
})

describe('without a terminal', () => {
  test('debug() fails with advice, and COLDBOOT_DEBUG=on-failure warns and continues', async () => {
    const { output, exitCode } = await project.run(['debugged', 'failing'], { COLDBOOT_DEBUG: 'on-failure' })
    expect(output).toContain('There is no terminal to connect to the console of the machine')
    expect(output).toContain('Run it in a terminal')
    expect(output).toMatch(/debugged\.test\.ts:4:12/)
    expect(output).toContain('COLDBOOT_DEBUG has no effect: There is no terminal')
    expect(output).toMatch(/Tests +2 failed/)
    expect(exitCode).toBe(1)
  })
})
