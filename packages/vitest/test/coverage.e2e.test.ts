import { mkdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { installProject } from './installed-project.ts'

interface FileCoverage {
  readonly fnMap: Readonly<Record<string, { readonly name: string }>>
  readonly f: Readonly<Record<string, number>>
}

test.skipIf(process.platform !== 'linux')(
  "the report of Vitest's coverage includes code that ran in the guest",
  async () => {
    const project = installProject('covered')
    onTestFinished(() => project[Symbol.dispose]())
    const { root } = project
    mkdirSync(join(root, 'node_modules/@vitest'), { recursive: true })
    const provider = realpathSync(fileURLToPath(new URL('../node_modules/@vitest/coverage-v8', import.meta.url)))
    symlinkSync(provider, join(root, 'node_modules/@vitest/coverage-v8'))
    const { output, exitCode } = await project.run(['--coverage'])
    expect(exitCode, output).toBe(0)
    const report = JSON.parse(readFileSync(join(root, 'coverage/coverage-final.json'), 'utf8')) as Readonly<
      Record<string, FileCoverage>
    >
    const { fnMap, f } = report[join(root, 'src/program.mjs')] as FileCoverage
    const counts = Object.fromEntries(Object.entries(fnMap).map(([key, { name }]) => [name, f[key]]))
    expect(counts).toEqual({ inTheGuest: 1, inTheTest: 1, nowhere: 0 })
  },
)
