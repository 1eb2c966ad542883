/** Where a test is in its file. */
import type { Circus } from '@jest/types'

/** The names of the test and of the describes around it, outermost first. */
export function namesOf(test: Circus.TestEntry | Circus.DescribeBlock): readonly string[] {
  // The block around all has a name that is Jest’s own.
  return test.parent ? [...namesOf(test.parent), String(test.name)] : []
}

/** How many tests of the same names come before it in the file. */
export function twinsBefore(test: Circus.TestEntry): number {
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
