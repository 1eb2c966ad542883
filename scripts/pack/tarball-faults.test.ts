import { expect, test } from 'vitest'
import { tarballFaults } from './tarball-faults.mjs'

const FOLDER = '/node_modules/@coldboot/some'
const MANIFEST = JSON.stringify({ description: 'Some', license: 'MIT', keywords: ['qemu'] })

function faultsOf(files: Readonly<Record<string, string>>): string[] {
  const all: Record<string, string> = { 'package.json': MANIFEST, 'README.md': '', ...files }
  const contents = Object.fromEntries(Object.entries(all).map(([path, text]) => [`${FOLDER}/${path}`, text]))
  return tarballFaults({
    listFiles: () => Object.keys(contents),
    readFile: (path) => contents[path] ?? '',
  })
}

test('a package with its sources, or with sources in its maps, has no faults', () => {
  const besides = JSON.stringify({ sources: ['../src/index.ts'] })
  const within = JSON.stringify({ sources: ['../src/other.ts'], sourcesContent: ['export {}'] })
  expect(
    faultsOf({ 'dist/index.d.ts.map': besides, 'src/index.ts': 'export {}', 'bundle/index.js.map': within }),
  ).toEqual([])
})

test.for([
  'tsconfig.tsbuildinfo',
  'dist/tsconfig.tests.tsbuildinfo',
  'bundle/.complete',
  'src/index.test.ts',
  'src/index.vm.test.ts',
  'src/types.test-d.ts',
])('%s is a leftover', (path) => {
  expect(faultsOf({ [path]: '' })).toEqual([`${FOLDER}/${path} is a leftover of the build`])
})

test.for([
  ['without sources', {}],
  ['with the sources of one file', { sourcesContent: ['export {}', null] }],
] as const)('reports a map %s', ([, extra]) => {
  const map = JSON.stringify({ sources: ['../src/a.ts', '../src/b.ts'], ...extra })
  expect(faultsOf({ 'dist/a.d.ts.map': map })).toEqual([
    `${FOLDER}/dist/a.d.ts.map names sources that are not in the package`,
  ])
})

test('names missing fields of the manifest', () => {
  expect(faultsOf({ 'package.json': '{}' })).toEqual([
    'package.json has no description',
    'package.json has no license',
    'package.json has no keywords',
  ])
})
