/** Types of the matchers. The package of each test runner merges them into its `expect`. */
import type { PatternInput } from '@coldboot/core'
import type { BootLogOptions } from './boot-log/to-match-boot-log.ts'
import type { FileContent } from './file/guest-file.ts'
import type { HaveFileOptions } from './file/to-have-file.ts'
import type { ScreenshotOptions } from './screenshot/screenshot-options.ts'
import type { Text } from './text-pattern.ts'
import type { BootOptions } from './to-boot.ts'
import type { EventuallyPrintOptions } from './to-eventually-print.ts'
import type { ExitOptions } from './to-exit.ts'
import type { PanicOptions } from './to-panic.ts'
import type { PrintInOrderOptions } from './to-print-in-order.ts'
import type { RunSuccessfullyOptions, ToRunOptions } from './to-run.ts'
import type { ShowTextOptions } from './to-show-text.ts'

/** Types of values that are certainly not a machine. */
type NoMachine =
  | string
  | number
  | bigint
  | boolean
  | symbol
  | null
  | undefined
  | readonly unknown[]
  | ((...args: never) => unknown)

/**
 * The matchers for a value: those of {@link MachineMatchers}. The compiler refuses to call them if the value is certainly not a
 * machine or a part of one.
 *
 * @typeParam T type of the value
 */
export type MatchersOf<T, R = void> = {
  [Name in keyof MachineMatchers<R>]: 0 extends 1 & T
    ? MachineMatchers<R>[Name]
    : [Awaited<T>] extends [NoMachine]
      ? `${Name} needs a machine`
      : MachineMatchers<R>[Name]
}

/**
 * Matchers for a machine. All except `toHavePrinted` wait and must be awaited. `timeout` limits the wait, in milliseconds
 * before the machine's multiplier. A wait ends before the time limit of its test, so that its own message is reported.
 *
 * @typeParam R return type of matchers that do not wait: `void`, or a promise after `.resolves`
 */
export interface MachineMatchers<R = void> {
  /**
   * Waits until the machine prints the pattern after the previous match, and consumes it: `vm.expect` as a matcher. With
   * `.not` it waits for the whole window and fails as soon as the pattern is printed.
   *
   * @example
   * await expect(vm).toEventuallyPrint('login: ')
   * await expect(vm).toEventuallyPrint(/inet [\d.]+/, { timeout: 20_000 })
   * await expect(vm).not.toEventuallyPrint('panic', { timeout: 2_000 })
   */
  toEventuallyPrint(pattern: PatternInput, options?: EventuallyPrintOptions): Promise<void>

  /**
   * Searches everything the machine has printed so far, including its boot. Does not wait and consumes nothing.
   *
   * @example
   * expect(vm).toHavePrinted(/Linux version/)
   */
  toHavePrinted(pattern: PatternInput): R

  /**
   * Waits until the machine prints the patterns in this order, with any output between them, and consumes them. `timeout`
   * limits the whole wait. On failure, the patterns that matched stay consumed. With `.not` it waits for the whole window
   * and fails as soon as the last pattern is printed.
   *
   * @example
   * await expect(vm).toPrintInOrder(['Starting network', /eth0: .* up/, 'login: '])
   */
  toPrintInOrder(patterns: readonly PatternInput[], options?: PrintInOrderOptions): Promise<void>

  /**
   * Waits until the machine has booted: until it printed `until` (by default its `ready` pattern), before or during the
   * call. With `.not` it waits for the whole window, and passes at once if the guest fails or the machine ends.
   *
   * @example
   * await expect(vm).toBoot()
   * await expect(vm).toBoot({ until: 'login: ', timeout: 60_000 })
   */
  toBoot(options?: BootOptions): Promise<void>

  /**
   * Waits for a panic of the guest's kernel or a crash of its init. Other waits fail at a panic; this one passes. With
   * `.not` it waits for the whole window and fails at a panic.
   *
   * @example
   * vm.send('echo c >/proc/sysrq-trigger\n')
   * await expect(vm).toPanic({ message: 'sysrq triggered crash' })
   */
  toPanic(options?: PanicOptions): Promise<void>

  /**
   * Waits until the machine ends without being closed by the test. An end by a panic or after another failure of the guest
   * passes only if `reason` is given. With `.not` it waits for the whole window and fails if the machine ends as described.
   *
   * @example
   * vm.send('poweroff -f\n')
   * await expect(vm).toExit({ reason: 'guest-shutdown' })
   * await expect(kernel).toExit({ code: 33 })
   */
  toExit(options?: ExitOptions): Promise<void>

  /**
   * Runs a command in the guest with `vm.run`. It must end with `exitCode` (default: 0) and print `stdout` and `stderr`, if
   * given. With `.not` it must end in another way. A command that does not end fails the test in both cases.
   *
   * @example
   * await expect(vm).toRun('uname', { stdout: 'Linux' })
   * await expect(vm).toRun(['grep', 'needle', '/etc/haystack'], { exitCode: 1 })
   */
  toRun(command: string | readonly string[], options?: ToRunOptions): Promise<void>

  /**
   * Runs a command in the guest, which must end with exit code 0: {@link toRun} with a name that reads well with `.not`.
   *
   * @example
   * await expect(client).toRunSuccessfully('ping -c1 10.0.0.1', { timeout: 20_000 })
   * await expect(client).not.toRunSuccessfully('ping -c1 -W1 10.0.0.9')
   */
  toRunSuccessfully(command: string | readonly string[], options?: RunSuccessfullyOptions): Promise<void>

  /**
   * Checks that a file exists in the guest, and its `content` if given: a string must equal all of it except for a final
   * newline, a regular expression may match any part, bytes must equal all of it. Checks once; with `timeout` it waits for
   * the file, and with `.not` and `timeout` the file must not appear within the whole window.
   *
   * @param path absolute
   *
   * @example
   * await expect(vm).toHaveFile('/etc/hostname', 'server')
   * await expect(vm).toHaveFile('/run/daemon.pid', /^\d+$/m, { timeout: 5_000 })
   */
  toHaveFile(path: string, content?: FileContent, options?: HaveFileOptions): Promise<void>

  /**
   * Waits until the machine has booted (see {@link toBoot}) and compares its output so far with a snapshot of the test
   * runner, which is written if missing, updated with `-u`, and never written in CI. Times, addresses, sizes, versions and
   * other text that differs between boots is replaced; see `normalizeBootLog`. Does not support `.not`.
   *
   * @example
   * await expect(vm).toMatchBootLog()
   * await expect(vm).toMatchBootLog({ normalizers: [[/serial [A-Z0-9]+/, 'serial <serial>']], keep: ['versions'] })
   */
  toMatchBootLog(options?: BootLogOptions): Promise<void>

  /**
   * Waits until the screen of a machine with a `display()` equals the screenshot in `__screenshots__` beside the test, pixel
   * by pixel. A missing screenshot is written when the screen stops changing; `-u` updates it, and CI never writes it. On a
   * mismatch, the expected and the actual screen and their difference are written beside the machine's log. With `.not` it
   * waits for the whole window and fails if the screenshot appears.
   *
   * @example
   * await expect(vm).toMatchScreenshot()
   * await expect(vm).toMatchScreenshot({ name: 'boot-menu', mask: [{ x: 560, y: 0, width: 80, height: 16 }] })
   */
  toMatchScreenshot(options?: ScreenshotOptions): Promise<void>

  /**
   * Waits until a screen shows a text: the one of a `display()`, or `vm.terminal`. A string may be any part of the text.
   * With `.not` it waits for the whole window and fails if the text appears.
   *
   * @example
   * await expect(screen).toShowText('Select your language', { timeout: 60_000 })
   * await expect(vm.terminal).toShowText(/^ *<Ok> *$/m)
   */
  toShowText(pattern: Text, options?: ShowTextOptions): Promise<void>
}
