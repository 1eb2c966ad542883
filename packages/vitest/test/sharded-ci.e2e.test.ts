/** Runs the jobs of the examples in docs/ci with shards. */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { headings, PAGE, textsOf } from './page-text.ts'

let shards: readonly { readonly project: InstalledProject; readonly run: RunnerRun }[] = []

const dispose = (): void => {
  for (const { project } of shards) project[Symbol.dispose]()
}

beforeFirstLook(async () => {
  dispose()
  const projects = [installProject('reporting'), installProject('reporting')]
  const runs = projects.map(async (project, index) => ({
    project,
    run: await project.shell(githubStep('test', index)),
  }))
  shards = await Promise.all(runs)
})
afterAll(dispose)

test('the example for GitHub merges shards that ran on different hosts', async () => {
  using merged = installProject('reporting')
  expect(shards.map(({ run }) => run.exitCode)).toEqual([1, 1])
  for (const { project } of shards) {
    cpSync(join(project.root, '.vitest'), join(merged.root, '.vitest'), { recursive: true })
  }
  const run = await merged.shell(githubStep('report', 0))
  expect(run.exitCode, run.output).toBe(1)
  const html = readFileSync(join(merged.root, PAGE), 'utf8')
  expect(headings(html)).toEqual([
    'waits for what never comes',
    'comes right at the second attempt',
    'two machines › do not agree',
    'fails without a machine',
  ])
  expect(textsOf(html, /<h4>(<span class="noun">Machine.*?)<\/h4>/gs)).toHaveLength(4)
  const left = 'two-machines.test.ts/two-machines--do-not-agree/left/console.log'
  expect(html).toContain(`href="./${left}"`)
  expect(existsSync(join(merged.root, '.vitest', 'coldboot', left))).toBe(true)
  expect(readFileSync(join(merged.root, '.vitest', 'junit.xml'), 'utf8')).toContain(
    `[[ATTACHMENT|.vitest/coldboot/${left}]]`,
  )
})

/** The jobs of the other examples as scripts. In Kubernetes only the report job fails. */
const JOBS: readonly [
  name: string,
  shard: (index: number) => readonly [string, NodeJS.ProcessEnv],
  exitCode: number,
  report: string,
][] = [
  [
    'GitLab',
    (index) => [gitlabScript('test'), { CI_NODE_INDEX: `${index + 1}`, CI_NODE_TOTAL: '2' }],
    1,
    gitlabScript('report'),
  ],
  ['Kubernetes', (index) => [kubernetesScript(0), { JOB_COMPLETION_INDEX: `${index}` }], 0, kubernetesScript(1)],
]

test.for(JOBS)('the example for %s runs and merges shards like that for GitHub', ([name, shard, exitCode, report]) => {
  const theirs = newFolder()
  const ours = newFolder()
  const SHARDS = join(ours, 'shards')
  for (const [index, { project }] of shards.entries()) {
    const results = join(project.root, '.vitest')
    cpSync(results, join(theirs, '.vitest'), { recursive: true })
    const folder = newFolder()
    const call = vitestCall(folder, ...shard(index), results)
    expect(call.exitCode).toBe(exitCode)
    const github = vitestCall(newFolder(), githubStep('test', index)).words
    expect(call.words).toEqual(github.filter((word) => word !== '--reporter=github-actions'))
    const target = name === 'Kubernetes' ? join(SHARDS, `${index}`) : join(ours, '.vitest')
    cpSync(join(folder, '.vitest'), target, { recursive: true })
  }
  expect(vitestCall(ours, report, { SHARDS })).toEqual(vitestCall(theirs, githubStep('report', 0)))
})

/** How a script calls Vitest. */
interface VitestCall {
  /** Exit code of the script. */
  readonly exitCode: number | null
  readonly words: readonly string[]
  /** The files of earlier runs at that time. */
  readonly files: readonly string[]
}

/** Runs a script with an `npx` that only records its call. @param results folder whose files it copies, like a run */
function vitestCall(folder: string, script: string, env: NodeJS.ProcessEnv = {}, results?: string): VitestCall {
  const bin = newFolder()
  const note = join(bin, 'call')
  const npx = [
    '#!/bin/sh',
    `{ printf '%s\\n' "$@"; echo; find .vitest -type f | sort; } >"${note}"`,
    ...(results === undefined ? [] : [`cp -r "${results}/." .vitest`]),
    'exit 1',
  ]
  writeFileSync(join(bin, 'npx'), npx.join('\n'), { mode: 0o755 })
  const PATH = [bin, process.env['PATH']].join(delimiter)
  const { status } = spawnSync('sh', ['-ec', script], { cwd: folder, env: { ...process.env, PATH, ...env } })
  const [words = '', files = ''] = readFileSync(note, 'utf8').split('\n\n')
  return { exitCode: status, words: words.split('\n'), files: files.trim().split('\n') }
}

/** A folder that represents a checkout before the first run. */
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-ci-'))
  mkdirSync(join(folder, '.vitest'))
  return folder
}

function example(name: string): readonly unknown[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../docs/ci/${name}`, import.meta.url)), 'utf8')
  return parseAllDocuments(text).map((document) => document.toJSON())
}

/** The step of a job that runs Vitest. */
function githubStep(job: string, index: number): string {
  const [workflow] = example('github.yml') as [{ jobs: Record<string, { steps: { run?: string }[] }> }]
  const step = workflow.jobs[job]?.steps.find(({ run }) => run?.includes('vitest run'))
  return step?.run?.replace('${{ matrix.shard }}', `${index + 1}`) ?? ''
}

function gitlabScript(job: string): string {
  const [pipeline] = example('gitlab-ci.yml') as [Record<string, { script: string[] }>]
  return pipeline[job]?.script.join('\n') ?? ''
}

/** @param index of the document */
function kubernetesScript(index: number): string {
  const jobs = example('kubernetes.yaml') as { spec: { template: { spec: { containers: { args: string[] }[] } } } }[]
  return jobs[index]?.spec.template.spec.containers[0]?.args[0] ?? ''
}
