/** Tests of checkpoints, saved machines, and templates from another cache, with fixtures and the command line. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

const CLI = `"${process.execPath}" node_modules/@coldboot/cli/bundle/run.js`

describe('a job and a shard that imports its templates', () => {
  let project: InstalledProject
  let job: RunnerRun
  let kept: readonly boolean[]
  let exported: RunnerRun
  let imported: RunnerRun
  let shard: RunnerRun

  const inProject = (...names: readonly string[]): string => join(project.root, ...names)
  const envOf = (cache: string): NodeJS.ProcessEnv => ({
    COLDBOOT_CACHE: inProject(cache),
    COLDBOOT_TEST_LOG: inProject('steps.txt'),
    [MARK]: project.root,
  })
  const templates = (cache: string): readonly string[] =>
    readdirSync(inProject(cache, 'templates'))
      .filter((name) => !name.endsWith('.lock'))
      .toSorted()

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('travel')
    job = await project.run(['--reporter=verbose', 'steps', 'checkpoint', 'failing'], envOf('build'))
    kept = ['timeline.jsonl', 'machine.coldboot'].map((name) =>
      existsSync(inProject('.vitest/coldboot/failing.test.ts/fails/vm', name)),
    )
    exported = await project.shell(`${CLI} templates export --all >templates.coldboot`, envOf('build'))
    imported = await project.shell(`${CLI} templates import <templates.coldboot`, envOf('shard'))
    const env = { ...envOf('shard'), COLDBOOT_KEEP: 'machine' }
    shard = await project.run(['--reporter=verbose', 'steps', 'failing'], env)
  })
  afterAll(() => project[Symbol.dispose]())

  test('a machine starts from a checkpoint', () => {
    expect(job.output).toContain('✓ checkpoint.test.ts > machines start from a checkpoint of another one')
    expect(job.output).toContain('Tests  1 failed | 3 passed (4)')
    expect(job.exitCode).toBe(1)
  })

  test('COLDBOOT_KEEP=machine saves the machines of a failed test, and the command resumes them', async () => {
    expect(shard.exitCode).toBe(1)
    for (const [name, text] of [
      ['vm', 'left'],
      ['other', 'other'],
    ]) {
      const file = `.vitest/coldboot/failing.test.ts/fails/${name}/machine.coldboot`
      expect(shard.output).toContain(`npx coldboot resume ${file}`)
      const resumed = await project.shell(`${CLI} resume ${file} --run 'cat /tmp/state'`)
      expect(resumed).toMatchObject({ exitCode: 0, output: `${text}\n` })
    }
    expect(machinesOf(project.root)).toEqual([])
  })

  test('a failed test keeps no machine without the variable', () => {
    expect(kept).toEqual([true, false])
  })

  test('templates that one job exports are used in the cache of another job', () => {
    expect(exported).toMatchObject({ exitCode: 0, output: '' })
    expect(imported).toMatchObject({ exitCode: 0, output: expect.stringMatching(/\n3 templates added\n$/) as string })
    expect(shard.output).toContain('Tests  1 failed | 2 passed (3)')
    expect(templates('build')).toHaveLength(3)
    expect(templates('shard')).toEqual(templates('build'))
    expect(readFileSync(inProject('steps.txt'), 'utf8')).toBe('first\nsecond\n')
  })
})
