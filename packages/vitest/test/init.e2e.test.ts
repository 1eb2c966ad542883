import { expect, test } from 'vitest'
import { installProject } from './installed-project.ts'

test('the files of `coldboot init` pass in a CommonJS project without a warning', async () => {
  using project = installProject('new')
  const { output, exitCode } = await project.shell(
    `"${process.execPath}" node_modules/@coldboot/vitest/bundle/coldboot.js init
     npx vitest run`,
  )
  expect(exitCode, output).toBe(0)
  expect(output).toContain('added    vitest.config.mjs')
  expect(output).toContain('Tests  1 passed (1)')
  expect(output).not.toMatch(/warn|CJS|deprecated/i)
})
