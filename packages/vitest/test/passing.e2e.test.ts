import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { installProject } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'

test.for([
  ['forks', ['--pool=forks']],
  ['threads', ['--pool=threads']],
  ['one worker for all files', ['--pool=threads', '--no-isolate', '--no-file-parallelism']],
] as const)('machines in %s pass their tests and leave nothing', async ([, args]) => {
  using project = installProject('passing')
  const mark = `passing-${process.pid}-${args.join('')}`
  const run = await project.run(args, { [MARK]: mark })
  expect(run.output).toContain('Tests  11 passed | 1 expected fail (12)')
  expect(run.exitCode).toBe(0)
  expect(machinesOf(mark)).toEqual([])
  expect(existsSync(join(project.root, '.vitest', 'coldboot'))).toBe(false)
})
