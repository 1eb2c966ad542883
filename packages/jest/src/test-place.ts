/** Describes the current attempt of a test for @coldboot/report. */
import { type Attempt, titleKey } from '@coldboot/report'
import type { Circus } from '@jest/types'
import type { ColdbootOptions } from './coldboot-options.ts'

/** A test file. */
export interface TestFile {
  /** Root of the project. */
  readonly root: string
  /** Path of the file, relative to the root. */
  readonly file: string
  /** Name of the project, if there are several. */
  readonly project: string | undefined
  readonly options: ColdbootOptions
}

/**
 * Folder for the files of a run, below the root of a project. Jest has no such folder; `.jest` corresponds to `.vitest` of
 * Vitest.
 */
export const HOME = '.jest'

/** The current attempt of a test. */
export function attemptOf({ root, file, project }: TestFile, test: Circus.TestEntry): Attempt {
  const names = namesOf(test)
  const retry = Math.max(test.invocations - 1, 0)
  return { root, home: HOME, file, project, names, duplicateIndex: duplicatesBefore(test), repeat: 0, retry }
}

/** The names of the groups, outermost first, and of the test. */
export function namesOf(test: Circus.TestEntry | Circus.DescribeBlock): readonly string[] {
  // Skips the root block, whose name is internal to Jest.
  return test.parent ? [...namesOf(test.parent), String(test.name)] : []
}

/** Number of tests with the same names before it in the file. */
function duplicatesBefore(test: Circus.TestEntry): number {
  const key = titleKey(namesOf(test))
  return testsOf(rootOf(test.parent))
    .filter((other) => titleKey(namesOf(other)) === key)
    .indexOf(test)
}

function rootOf(block: Circus.DescribeBlock): Circus.DescribeBlock {
  return block.parent ? rootOf(block.parent) : block
}

function testsOf(block: Circus.DescribeBlock): readonly Circus.TestEntry[] {
  return block.children.flatMap((child) => (child.type === 'describeBlock' ? testsOf(child) : [child]))
}
