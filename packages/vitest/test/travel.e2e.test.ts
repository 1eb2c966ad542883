/** Tests of checkpoints, saved machines and carried templates, with the fixtures and the command line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

let project: InstalledProject
beforeAll(() => {
  project = installProject('travel')
})
afterAll(() => project[Symbol.dispose]())

const CLI = `"${process.execPath}" node_modules/@coldboot/cli/bundle/run.js`

test('a machine starts from a checkpoint', async () => {
  const run = await project.run(['checkpoint'], { [MARK]: project.root })
  expect(run.output).toContain('Tests  1 passed (1)')
  expect(run.exitCode).toBe(0)
  expect(machinesOf(project.root)).toEqual([])
})

test('COLDBOOT_KEEP=machine saves the machines of a failed test, and the command resumes them', async () => {
  const run = await project.run(['failing'], { COLDBOOT_KEEP: 'machine', [MARK]: project.root })
  expect(run.exitCode).toBe(1)
  for (const [name, text] of [
    ['vm', 'left'],
    ['other', 'other'],
  ]) {
    const file = `.vitest/coldboot/failing.test.ts/fails/${name}/machine.coldboot`
    expect(run.output).toContain(`npx coldboot resume ${file}`)
    const resumed = await project.shell(`${CLI} resume ${file} --run 'cat /tmp/state'`)
    expect(resumed).toMatchObject({ exitCode: 0, output: `${text}\n` })
  }
  expect(machinesOf(project.root)).toEqual([])
})

test('a failed test keeps no machine without the variable', async () => {
  await project.run(['failing'])
  expect(existsSync(join(project.root, '.vitest/coldboot/failing.test.ts/fails/vm/timeline.jsonl'))).toBe(true)
  expect(existsSync(join(project.root, '.vitest/coldboot/failing.test.ts/fails/vm/machine.coldboot'))).toBe(false)
})

test('templates that one job exports are used in the cache of another job', async () => {
  const log = join(project.root, 'steps.txt')
  const [build, shard] = ['build', 'shard'].map((name) => join(project.root, name)) as [string, string]
  const templates = (cache: string): readonly string[] =>
    readdirSync(join(cache, 'templates')).filter((name) => !name.endsWith('.lock'))
  const env = (COLDBOOT_CACHE: string): NodeJS.ProcessEnv => ({ COLDBOOT_CACHE, COLDBOOT_TEST_LOG: log })
  const made = await project.run(['steps'], env(build))
  expect(made.output).toContain('Tests  2 passed (2)')
  expect(templates(build)).toHaveLength(3)
  const exported = await project.shell(`${CLI} templates export --all >templates.coldboot`, env(build))
  expect(exported).toMatchObject({ exitCode: 0, output: '' })
  const imported = await project.shell(`${CLI} templates import <templates.coldboot`, env(shard))
  expect(imported).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\n3 templates added\n$/) as string })
  const used = await project.run(['steps'], env(shard))
  expect(used.output).toContain('Tests  2 passed (2)')
  expect(templates(shard).toSorted()).toEqual(templates(build).toSorted())
  expect(readFileSync(log, 'utf8')).toBe('first\nsecond\n')
})
