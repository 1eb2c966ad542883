/** The matchers’ types, written once; each runner’s package merges them into its own `expect`. */
import type { PatternInput } from '@coldboot/core'
import type { EventuallyPrintOptions } from './to-eventually-print.ts'

/**
 * Matchers for a machine.
 *
 * @typeParam R what a matcher that does not wait returns in the runner: `void`, or a promise behind `.resolves`
 */
export interface MachineMatchers<R = void> {
  /**
   * Waits until the machine prints the pattern, behind everything matched before, and consumes it: `vm.expect` as a
   * matcher. With `.not` it waits for the whole window and fails as soon as the pattern is printed.
   *
   * @example
   * await expect(vm).toEventuallyPrint('login: ')
   * await expect(vm).toEventuallyPrint(/inet [\d.]+/, { within: 20_000 })
   * await expect(vm).not.toEventuallyPrint('panic', { within: 2_000 })
   */
  toEventuallyPrint(pattern: PatternInput, options?: EventuallyPrintOptions): Promise<void>

  /**
   * Looks for the pattern in everything the machine has printed so far, its boot included. Does not wait and consumes
   * nothing.
   *
   * @example
   * expect(vm).toHavePrinted(/Linux version/)
   */
  toHavePrinted(pattern: PatternInput): R
}
