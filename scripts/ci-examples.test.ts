import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseCLI } from 'vitest/node'
import { parseAllDocuments } from 'yaml'

const read = (name: string): string => readFileSync(fileURLToPath(new URL(`../${name}`, import.meta.url)), 'utf8')
const FILES = readdirSync(fileURLToPath(new URL('../docs/ci', import.meta.url))).map((name) => `docs/ci/${name}`)
const YAML = FILES.filter((file) => /\.ya?ml$/.test(file))

/** All strings in a document. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : []
}

/** The commands in a file. */
function commandsOf(file: string): readonly string[] {
  const texts = YAML.includes(file) ? parseAllDocuments(read(file)).flatMap((it) => textsOf(it.toJSON())) : [read(file)]
  return texts.flatMap((text) => text.split('\n')).flatMap((line) => line.replace(/^RUN /, '').split(' && '))
}

test.for(YAML)('%s is valid YAML', (file) => {
  for (const { errors, warnings } of parseAllDocuments(read(file), { strict: true, uniqueKeys: true })) {
    expect([...errors, ...warnings]).toEqual([])
  }
})

test.for(YAML)('%s runs Vitest with valid options', (file) => {
  const commands = commandsOf(file).filter((command) => command.includes('vitest run'))
  expect(commands).not.toEqual([])
  for (const command of commands) {
    const [, words = ''] = /^npx (vitest run .*?)(?: \|\| true)?$/.exec(command) ?? []
    const { options } = parseCLI(words.replace('${{ matrix.shard }}', '1').split(' '))
    expect(options.reporter).toContain('default')
  }
})

test.for([
  ['docs/ci/github.yml', '${{ matrix.shard }}/2', /shard: \[1, 2\]/],
  ['docs/ci/gitlab-ci.yml', '$CI_NODE_INDEX/$CI_NODE_TOTAL', /parallel: 2/],
  ['docs/ci/kubernetes.yaml', '$shard/2', /completions: 2\n {2}parallelism: 2/],
] as const)('%s runs as many shards as it has jobs', ([file, shard, jobs]) => {
  expect(commandsOf(file).filter((command) => command.includes(`--shard=${shard}`))).toHaveLength(1)
  expect(read(file)).toMatch(jobs)
})

test.for(FILES)('%s installs no packages of a Linux distribution', (file) => {
  expect(commandsOf(file).filter((command) => /\b(?:apt|apt-get|dnf|apk)\b/.test(command))).toEqual([])
})

test.for(FILES)('%s sets only known environment variables', (file) => {
  const known = read('packages/core/src/host/environment.ts')
  for (const [name] of read(file).matchAll(/COLDBOOT_\w+/g)) expect(known).toContain(`variables['${name}']`)
})

test('the udev rule for /dev/kvm equals the rule in the warning', () => {
  const [rule = ''] =
    /KERNEL=="kvm", GROUP="kvm", MODE="0666"/.exec(read('packages/core/src/spec/accelerator.ts')) ?? []
  expect(rule).not.toBe('')
  expect(read('docs/ci/github.yml')).toContain(rule)
})

test('docs/ci.md contains each example', () => {
  const page = read('docs/ci.md')
  for (const file of FILES) {
    const language = file.endsWith('Dockerfile') ? 'dockerfile' : 'yaml'
    expect(page, file).toContain(`\`\`\`${language}\n${read(file)}\`\`\``)
  }
})
