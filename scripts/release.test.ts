/** Checks the release: its workflow, the settings of changesets, the changelogs, and the order of publishing. */
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, matchesGlob } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { parseDocument } from 'yaml'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly files: readonly string[]
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}
interface Workflow {
  readonly permissions: object
  readonly jobs: Readonly<Record<string, Job>>
}
interface Job {
  readonly permissions: Readonly<Record<string, string>>
  readonly needs?: string
  readonly steps: readonly { readonly uses?: string; readonly run?: string }[]
}

const manifest = (path: string): Manifest => JSON.parse(read(path)) as Manifest
const PACKAGES = readdirSync(join(ROOT, 'packages'))
  .map((folder) => ({ folder, ...manifest(`packages/${folder}/package.json`) }))
  .filter((it) => it.private !== true)
const { fixed } = JSON.parse(read('.changeset/config.json')) as { readonly fixed: readonly (readonly string[])[] }
const document = parseDocument(read('.github/workflows/release.yml'), { strict: true, uniqueKeys: true })
const { permissions, jobs } = document.toJS() as Workflow
const steps = Object.values(jobs).flatMap((job) => job.steps)

test.for(PACKAGES)('$name belongs to exactly one group of versions', ({ name }) => {
  expect(fixed.filter((group) => group.some((pattern) => matchesGlob(name, pattern)))).toHaveLength(1)
})

test('each pattern of a group of versions matches a package', () => {
  const names = PACKAGES.map(({ name }) => name)
  expect(fixed.flat().filter((pattern) => !names.some((name) => matchesGlob(name, pattern)))).toEqual([])
})

test.for(PACKAGES)('$name publishes a changelog of its version', ({ folder, name, version, files }) => {
  const log = read(`packages/${folder}/CHANGELOG.md`)
  expect(log).toMatch(new RegExp(`^# ${name}\n\n## ${version.replaceAll('.', '\\.')}\n\n\\S`))
  expect(files).toContain('CHANGELOG.md')
})

test.for(PACKAGES)('$name needs the same version of the packages whose internals it uses', (it) => {
  const group = fixed.find((patterns) => patterns.some((pattern) => matchesGlob(it.name, pattern))) ?? []
  const isCode = group.includes('coldboot')
  const ranges = Object.entries({ ...it.dependencies, ...it.optionalDependencies })
    .filter(([, range]) => range.startsWith('workspace:'))
    .map(([name, range]) => [range, isCode && group.some((pattern) => matchesGlob(name, pattern))] as const)
  expect(ranges.filter(([range, isSame]) => range !== (isSame ? 'workspace:*' : 'workspace:^'))).toEqual([])
})

test('the workflow is valid YAML, and its commands exist', () => {
  expect([...document.errors, ...document.warnings]).toEqual([])
  const commands = steps.flatMap(({ run = [] }) => run)
  const scripts = commands.flatMap((command) => /^npm run ([\w:]+)/.exec(command)?.[1] ?? [])
  expect(scripts).toEqual(['check', 'pack:release'])
  expect(scripts.filter((name) => manifest('package.json').scripts?.[name] === undefined)).toEqual([])
  const changesets = commands.flatMap((command) => /^pnpm exec changeset ([\w-]+)/.exec(command)?.[1] ?? [])
  const help = execFileSync(process.execPath, ['node_modules/@changesets/cli/bin.js', '--help'], { cwd: ROOT })
  expect(changesets).toEqual(['git-tag'])
  expect(changesets.filter((name) => !help.includes(`  ${name} `))).toEqual([])
  expect(globSync('scripts/{pack-release,publish}.mjs', { cwd: ROOT })).toHaveLength(2)
})

test('actions are pinned to the versions in docs/ci', () => {
  const shown = globSync('docs/ci/*.yml', { cwd: ROOT }).map(read).join('\n')
  const uses = steps.flatMap((it) => it.uses ?? [])
  expect(uses.filter((action) => !/@v\d/.test(action))).toEqual([])
  expect(uses.filter((action) => action.startsWith('actions/') && !shown.includes(`uses: ${action}\n`))).toEqual([])
})

test('only the publishing job can get a token of npm, and it runs no code of dependencies', () => {
  expect(permissions).toEqual({})
  const withToken = Object.entries(jobs).filter(([, job]) => job.permissions['id-token'] === 'write')
  expect(withToken.map(([name]) => name)).toEqual(['publish'])
  expect(jobs['publish']?.steps.flatMap(({ run = [] }) => run)).toEqual(['node scripts/publish.mjs --provenance'])
  expect(jobs['publish']?.needs).toBe('pack')
})

test('a minor change of a package with code raises the version of all packages with code, and of no others', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-release-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const tracked = ['package.json', 'pnpm-workspace.yaml', '.changeset/config.json', 'site/package.json']
  for (const path of [...tracked, ...globSync('{packages,examples}/*/{package.json,CHANGELOG.md}', { cwd: ROOT })]) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    cpSync(join(ROOT, path), join(folder, path))
  }
  writeFileSync(join(folder, 'pnpm-lock.yaml'), '')
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(join(folder, '.changeset', 'change.md'), "---\n'@coldboot/core': minor\n---\n\nAdds a device.\n")
  execFileSync('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder })
  execFileSync(process.execPath, [join(ROOT, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: folder })

  const versionOf = (path: string): string => (JSON.parse(readFileSync(path, 'utf8')) as Manifest).version
  const raised = PACKAGES.filter((it) => versionOf(join(folder, 'packages', it.folder, 'package.json')) !== it.version)
  const ofCode = PACKAGES.filter(({ name }) => fixed[0]?.some((pattern) => matchesGlob(name, pattern)))
  expect(raised.map(({ name }) => name)).toEqual(ofCode.map(({ name }) => name))
  expect(readFileSync(join(folder, 'packages/core/CHANGELOG.md'), 'utf8')).toContain('Adds a device.')
})
