/** Tests of the packages `create-coldboot` and `coldboot`. Runs their commands in the folder of a project, like npm does. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'

const run = promisify(execFile)
const CREATE = fileURLToPath(new URL('../create-coldboot.js', import.meta.url))
const COLDBOOT = fileURLToPath(new URL('../../coldboot/coldboot.js', import.meta.url))

function emptyProject(): string {
  const project = mkdtempSync(join(tmpdir(), 'coldboot-create-'))
  onTestFinished(() => rmSync(project, { recursive: true, force: true }))
  writeFileSync(join(project, 'package.json'), '{ "name": "my-project", "type": "module" }')
  return project
}

test('`npm create coldboot` adds a configuration and a first test', async () => {
  const project = emptyProject()
  const { stdout } = await run(process.execPath, [CREATE], { cwd: project })
  expect(stdout).toContain('npm install --save-dev @coldboot/vitest vitest')
  expect(readdirSync(project).toSorted()).toEqual(['.gitignore', 'package.json', 'test', 'vitest.config.js'])
})

test('`npm create coldboot` accepts the options of `coldboot init`', async () => {
  const project = emptyProject()
  const { stdout } = await run(process.execPath, [CREATE, '--runner', 'jest', '--ci'], { cwd: project })
  expect(stdout).toContain('@coldboot/jest')
  expect(stdout).toContain('added    .github/workflows/machines.yml')
})

test('the package `coldboot` provides the command', async () => {
  const project = emptyProject()
  const { stdout } = await run(process.execPath, [COLDBOOT, 'init'], { cwd: project })
  expect(stdout).toContain('npx vitest run')
  expect(readdirSync(project)).toContain('vitest.config.js')
})
