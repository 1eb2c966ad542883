import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type InstalledProject, installProject } from './installed-project.ts'

/** Places of the second matcher of each test. */
const LATER_MATCHERS = ['7:3', '22:5']

/** An environment without CI. */
const AT_HOME = { CI: '' }

describe('a snapshot of a machine', () => {
  let project: InstalledProject
  let log: string
  let picture: string
  let again: string

  beforeAll(() => {
    project = installProject('snapshots')
    log = join(project.root, '__snapshots__', 'snapshots.test.ts.snap')
    const pictures = join(project.root, '__screenshots__', 'snapshots.test.ts')
    picture = join(pictures, 'a-screen--of-a-firmware.png')
    again = join(pictures, 'again.png')
  })
  afterAll(() => project[Symbol.dispose]())

  test('is not written in CI', async () => {
    const run = await project.run()
    expect(run.output).toMatch(/Snapshots {2}2 failed/)
    expect([run.exitCode, existsSync(log), existsSync(picture)]).toEqual([1, false, false])
  })

  test('is written if it is missing', async () => {
    const run = await project.run([], AT_HOME)
    expect(run.output).toMatch(/Snapshots {2}4 written/)
    expect(run.exitCode).toBe(0)
    expect(readFileSync(log, 'utf8')).toContain('exports[`the log of a boot 1`] = `\n"BusyBox <version> (')
    expect(readFileSync(picture).subarray(1, 4).toString()).toBe('PNG')
  })

  test('is compared in CI, updated with -u, and matches afterwards', async () => {
    const kept = readFileSync(log, 'utf8')
    // Only the second snapshot of each test differs, so the first one matches.
    const at = kept.indexOf('Enter', kept.indexOf('again 1'))
    writeFileSync(log, `${kept.slice(0, at)}Leave${kept.slice(at + 'Enter'.length)}`)
    writeFileSync(again, readFileSync(OTHER_PICTURE))
    const failed = await project.run()
    expect(failed.output).toMatch(/Snapshots {2}2 failed/)
    expect(failed.exitCode).toBe(1)
    for (const place of LATER_MATCHERS) expect(failed.output).toMatch(new RegExp(`❯ snapshots\\.test\\.ts:${place}\n`))

    const updated = await project.run(['-u'], AT_HOME)
    expect(updated.output).toMatch(/Snapshots {2}2 updated/)
    expect(updated.exitCode).toBe(0)
    expect(readFileSync(log, 'utf8')).toBe(kept)
    expect(await project.run()).toMatchObject({ exitCode: 0 })
  })
})

/** A PNG file of a black screen. */
const OTHER_PICTURE = new URL(
  'projects/failing-matchers/__screenshots__/matchers.test.ts/toMatchScreenshot--another-picture.png',
  import.meta.url,
)
