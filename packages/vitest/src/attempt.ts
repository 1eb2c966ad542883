/** Describes the current attempt of a test for @coldboot/report. */
import { type Attempt, titleKey } from '@coldboot/report'
import type { RunnerTask, RunnerTestCase } from 'vitest'

/** Vitest's folder for the files of a run, below the root of a project. */
export const HOME = '.vitest'

/** The current attempt of a test. */
export function attemptOf(task: RunnerTestCase): Attempt {
  const { file } = task
  const names = namesOf(task)
  const same = testsOf(file.tasks).filter((other) => titleKey(namesOf(other)) === titleKey(names))
  return {
    root: file.filepath.endsWith(`/${file.name}`) ? file.filepath.slice(0, -file.name.length - 1) : process.cwd(),
    home: HOME,
    file: file.name,
    project: file.projectName || undefined,
    names,
    duplicateIndex: same.indexOf(task),
    repeat: task.result?.repeatCount ?? 0,
    retry: task.result?.retryCount ?? 0,
  }
}

function namesOf(task: RunnerTask): readonly string[] {
  return task.suite ? [...namesOf(task.suite), task.name] : [task.name]
}

function testsOf(tasks: readonly RunnerTask[]): readonly RunnerTask[] {
  return tasks.flatMap((task) => (task.type === 'suite' ? testsOf(task.tasks) : [task]))
}
