import { afterAll, describe, expect, test } from 'vitest'
import { beforeFirstLook } from './before-first-look.ts'
import { type InstalledProject, installProject, type RunnerRun } from './installed-project.ts'
import { MARK, machinesOf } from './machine-processes.ts'
import { normalReport } from './normal-report.ts'

describe('a run of failing matchers', () => {
  let project: InstalledProject
  let run: RunnerRun
  const mark = `failing-matchers-${process.pid}`

  beforeFirstLook(async () => {
    project?.[Symbol.dispose]()
    project = installProject('failing-matchers')
    run = await project.run(['--reporter=default'], { [MARK]: mark })
  })
  afterAll(() => project[Symbol.dispose]())

  test('reports each failure with the expected and the actual value, and the console', async () => {
    expect(run.exitCode).toBe(1)
    const report = withoutPixels(withoutTraces(normalReport(run.output, project.root)))
    await expect(report).toMatchFileSnapshot('reports/failing-matchers.txt')
  })

  test('leaves no machine', () => {
    expect(machinesOf(mark)).toEqual([])
  })
})

/** Removes kernel traces, which depend on timing, and the callers of a panic, which depend on the kernel. */
function withoutTraces(report: string): string {
  const line =
    /^ {2}\[<time>\] +(?:\?|<\/?TASK>|<\/?IRQ>|\w[\w.]*\+0x|R\w\w:|Code: |CPU: |Hardware name|Call Trace|Kernel Offset|CR2|DR\d).*\n/gm
  const callers = /^(Call trace:\n {2}panic)\+0x\S+\n(?: {2}[\w.]+\+0x\S+\n)+/gm
  return report.replace(line, '').replace(callers, '$1+<offset>\n  <callers>\n')
}

/** Replaces text that depends on the version of the firmware. */
function withoutPixels(report: string): string {
  return report
    .replace(
      /[\d,]+ of [\d,]+ pixels differ, in a box of .*/g,
      '<number> of <number> pixels differ, in a box of <size>',
    )
    .replace(/SeaBIOS \(version .*\)/g, 'SeaBIOS (version <version>)')
}
