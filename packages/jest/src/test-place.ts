/** Which test it is, in the words of @coldboot/report. */
import type { Attempt } from '@coldboot/report'
import type { Circus } from '@jest/types'
import type { ColdbootOptions } from './coldboot-options.ts'

/** A test file. */
export interface TestFile {
  /** The project's root. */
  readonly root: string
  /** Relative to the root. */
  readonly file: string
  /** The project's name, when there are several. */
  readonly project: string | undefined
  readonly options: ColdbootOptions
}

/**
 * Jest's own folder for what its runs leave, below the project's root: it has none. `.jest` is to it as `.vitest` is to
 * Vitest, so that one line tells version control and an upload of artifacts of both.
 */
export const HOME = '.jest'

/** The present attempt of a test. */
export function attemptOf({ root, file, project }: TestFile, test: Circus.TestEntry): Attempt {
  const names = namesOf(test)
  const retry = Math.max(test.invocations - 1, 0)
  return { root, home: HOME, file, project, names, duplicateIndex: duplicatesBefore(test), repeat: 0, retry }
}

/** The names of the test and of the describes around it, outermost first. */
export function namesOf(test: Circus.TestEntry | Circus.DescribeBlock): readonly string[] {
  // The block around all has a name that is Jest's own.
  return test.parent ? [...namesOf(test.parent), String(test.name)] : []
}

/** How many tests of the same names come before it in the file. */
function duplicatesBefore(test: Circus.TestEntry): number {
  const names = namesOf(test).join('\0')
  return testsOf(rootOf(test.parent))
    .filter((other) => namesOf(other).join('\0') === names)
    .indexOf(test)
}

function rootOf(block: Circus.DescribeBlock): Circus.DescribeBlock {
  return block.parent ? rootOf(block.parent) : block
}

function testsOf(block: Circus.DescribeBlock): readonly Circus.TestEntry[] {
  return block.children.flatMap((child) => (child.type === 'describeBlock' ? testsOf(child) : [child]))
}
