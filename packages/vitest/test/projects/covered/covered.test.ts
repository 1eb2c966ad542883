import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { p9Directory } from '@coldboot/core'
import { expect, test } from '@coldboot/vitest'
import { inTheTest } from './src/program.mjs'

/** Copies the Node of this host with its libraries to a folder. @returns the command that starts it in the folder */
function copyNode(folder: string): string {
  mkdirSync(folder)
  const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).match(/\/\S+/g) ?? []
  for (const file of [process.execPath, ...libraries]) copyFileSync(file, join(folder, basename(file)))
  const loader = libraries.find((file) => basename(file).startsWith('ld-')) ?? ''
  return `./${basename(loader)} --library-path . ./${basename(process.execPath)}`
}

test('a program runs in the guest and in the test', async ({ bootVM }) => {
  expect(inTheTest()).toBe('ran in the test')
  const root = import.meta.dirname
  const node = copyNode(join(root, 'node'))
  const vm = await bootVM({
    memory: '512M',
    devices: [
      p9Directory(join(root, 'node'), { tag: 'node', mountAt: '/srv/node', readOnly: true }),
      p9Directory(join(root, 'src'), { tag: 'app', mountAt: '/srv/app', readOnly: true }),
    ],
  })
  const env = { NODE_V8_COVERAGE: '/tmp/coverage' }
  const { stdout } = await vm.run(`cd /srv/node && ${node} /srv/app/program.mjs guest`, { env, timeout: 120_000 })
  expect(stdout).toBe('ran in the guest\n')
  await vm.collectCoverage({ format: 'v8', from: '/tmp/coverage', sources: { '/srv/app': join(root, 'src') } })
}, 300_000)
