/** Runs examples whose tests inject faults, first unchanged, then with the mistake of their README. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { expect, test } from 'vitest'
import { folderOf } from './example.ts'
import { installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

const noExt4 = existsSync('/sbin/mkfs.ext4') ? '' : ' (this host has no mkfs.ext4)'

test.skipIf(noExt4 !== '')(`examples/crash-consistency passes, and fails like in its README${noExt4}`, async () => {
  using project = installProject(folderOf('crash-consistency'))
  expect((await project.run([], { [MARK]: project.root })).output).toMatch(/Tests {2}1 passed/)
  edit(join(project.root, 'ledger.sh'), (script) => script.replaceAll(/^ *sync .*\n/gm, ''))
  const failing = await project.run(['--reporter=default'], { [MARK]: project.root })
  expect(withoutNumbers(failing.output)).toContain(withoutNumbers(shownFailure('crash-consistency')))
  expect(machinesOf(project.root)).toEqual([])
})

const noPackages = existsSync('/etc/dpkg/origins/debian') ? '' : ' (this host is no Debian)'

test.skipIf(noPackages !== '')(
  `examples/network-partition passes, and fails like in its README${noPackages}`,
  async () => {
    using project = installProject(folderOf('network-partition'))
    // Downloaded once per user.
    const OVSDB = join(readEnvironment().cacheDirectory, 'examples', 'network-partition')
    const env = { [MARK]: project.root, OVSDB }
    expect(await project.shell('./get-ovsdb.sh', env)).toMatchObject({ exitCode: 0 })
    expect((await project.run([], env)).output).toMatch(/Tests {2}8 passed/)
    edit(join(project.root, 'ovsdb.ts'), (code) => code.replace(/.*op: 'mutate'.*\n/, ''))
    const failing = withoutNumbers((await project.run(['--reporter=default', 'partition'], env)).output)
    // The number of operations varies.
    const lines = shownFailure('network-partition').split('\n')
    expect(lines[1]).toMatch(/^Error: n\d read/)
    expect(lines.filter((line) => !failing.includes(withoutNumbers(line)))).toEqual([])
    expect(machinesOf(project.root)).toEqual([])
  },
)

/** The failure that the README of an example shows. */
function shownFailure(example: string): string {
  const readme = readFileSync(folderOf(`${example}/README.md`), 'utf8')
  const [, shown = ''] = /## What a failure looks like\n[^]*?```\n([^]*?)\n```/.exec(readme) ?? []
  expect(shown).not.toBe('')
  return shown
}

/** Replaces numbers and lengths of lists, which differ between runs. */
function withoutNumbers(text: string): string {
  return text
    .replaceAll(/\d+/g, '0')
    .replaceAll(/0(?:, 0)+/g, '0')
    .replaceAll(/^(.*\n)\1+/gm, '$1')
}

function edit(file: string, change: (content: string) => string): void {
  const before = readFileSync(file, 'utf8')
  const after = change(before)
  expect(after).not.toBe(before)
  writeFileSync(file, after)
}
