import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { jestProject } from './jest-project.ts'

test.for(['commonjs', 'module'])('the files of `coldboot init` pass in a project of type %s', async (type) => {
  using project = jestProject('new', type === 'module')
  writeFileSync(join(project.root, 'package.json'), JSON.stringify({ private: true, type }))
  const command = `"${process.execPath}" node_modules/@coldboot/jest/bundle/coldboot.js init --runner jest`
  const initialized = await project.shell(command)
  expect(initialized.exitCode, initialized.output).toBe(0)
  expect(initialized.output).toContain('added    jest.config.js')
  const { output, exitCode } = await project.run()
  expect(exitCode, output).toBe(0)
  expect(output).toContain('Tests:       1 passed, 1 total')
})
