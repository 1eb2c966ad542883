/** The matchers’ types, written once; each runner’s package merges them into its own `expect`. */
import type { PatternInput } from '@coldboot/core'
import type { BootLogOptions } from './boot-log/to-match-boot-log.ts'
import type { FileContent } from './file/guest-file.ts'
import type { HaveFileOptions } from './file/to-have-file.ts'
import type { ScreenshotOptions } from './screenshot/screenshot-options.ts'
import type { BootOptions } from './to-boot.ts'
import type { EventuallyPrintOptions } from './to-eventually-print.ts'
import type { ExitOptions } from './to-exit.ts'
import type { PanicOptions } from './to-panic.ts'
import type { PrintInOrderOptions } from './to-print-in-order.ts'
import type { RunSuccessfullyOptions, ToRunOptions } from './to-run.ts'

/**
 * Matchers for a machine. All but `toHavePrinted` wait, and must be awaited. `timeout` is the time they wait at most, in
 * milliseconds before the machine’s multiplier; they end before their test does, and fail in their own words.
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
   * await expect(vm).toEventuallyPrint(/inet [\d.]+/, { timeout: 20_000 })
   * await expect(vm).not.toEventuallyPrint('panic', { timeout: 2_000 })
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

  /**
   * Waits until the machine prints one pattern after the other, other output between them, and consumes them. `timeout` is
   * the time for all of them. What was matched of it is consumed also when the rest does not come. With `.not` it waits for
   * the whole window and fails as soon as the last one is printed.
   *
   * @example
   * await expect(vm).toPrintInOrder(['Starting network', /eth0: .* up/, 'login: '])
   */
  toPrintInOrder(patterns: readonly PatternInput[], options?: PrintInOrderOptions): Promise<void>

  /**
   * Waits until the machine has booted: until it printed `ready`, or what `until` says, be it before or from now on. With
   * `.not` it waits for the whole window; it passes at once when the guest fails or ends on the way.
   *
   * @example
   * await expect(vm).toBoot()
   * await expect(vm).toBoot({ until: 'login: ', timeout: 60_000 })
   */
  toBoot(options?: BootOptions): Promise<void>

  /**
   * Waits for a panic of the guest’s kernel or a crash of its init, as the machine’s monitors see them. Unlike other waits
   * it is not ended by one. With `.not` it waits for the whole window and fails at a panic.
   *
   * @example
   * vm.send('echo c >/proc/sysrq-trigger\n')
   * await expect(vm).toPanic({ message: 'sysrq triggered crash' })
   */
  toPanic(options?: PanicOptions): Promise<void>

  /**
   * Waits for the machine to end by itself. An end by a panic, or after another failure of the guest, passes only where
   * `reason` is given. With `.not` it waits for the whole window and fails when the machine ends, or ends so.
   *
   * @example
   * vm.send('poweroff -f\n')
   * await expect(vm).toExit({ reason: 'guest-shutdown' })
   * await expect(kernel).toExit({ code: 33 })
   */
  toExit(options?: ExitOptions): Promise<void>

  /**
   * Runs a command in the guest, as `vm.run` does, which must end with `exitCode`, 0 unless told otherwise, and print what
   * `stdout` and `stderr` say. With `.not` it must end in another way; that it does not end is a failure either way.
   *
   * @example
   * await expect(vm).toRun('uname', { stdout: 'Linux' })
   * await expect(vm).toRun(['grep', 'needle', '/etc/haystack'], { exitCode: 1 })
   */
  toRun(command: string | readonly string[], options?: ToRunOptions): Promise<void>

  /**
   * Runs a command in the guest, which must end with exit code 0: {@link toRun} by the name that reads well with `.not`.
   *
   * @example
   * await expect(client).toRunSuccessfully('ping -c1 10.0.0.1', { timeout: 20_000 })
   * await expect(client).not.toRunSuccessfully('ping -c1 -W1 10.0.0.9')
   */
  toRunSuccessfully(command: string | readonly string[], options?: RunSuccessfullyOptions): Promise<void>

  /**
   * Looks whether there is a file in the guest, and with `content` what is in it: a string is all of it, the last line end
   * aside; a regular expression matches some of it; bytes are all of it. It is looked once. With `timeout` it is waited for,
   * in the guest; with `.not` and `timeout` it must not come in the whole window.
   *
   * @param path absolute
   *
   * @example
   * await expect(vm).toHaveFile('/etc/hostname', 'server')
   * await expect(vm).toHaveFile('/run/daemon.pid', /^\d+$/m, { timeout: 5_000 })
   */
  toHaveFile(path: string, content?: FileContent, options?: HaveFileOptions): Promise<void>

  /**
   * Waits until the machine has booted, as {@link toBoot} does, and compares all that it printed until then with a snapshot
   * of the runner’s: written when there is none, updated with `-u`, and not written in CI. Times, addresses, sizes, versions
   * and whatever else differs from boot to boot is taken out; see `normalizeBootLog`. Has no `.not`.
   *
   * @example
   * await expect(vm).toMatchBootLog()
   * await expect(vm).toMatchBootLog({ normalizers: [[/serial [A-Z0-9]+/, 'serial <serial>']], keep: ['versions'] })
   */
  toMatchBootLog(options?: BootLogOptions): Promise<void>

  /**
   * Waits until the screen of a machine with a `display()` shows the picture that is kept in `__screenshots__` beside the
   * test, pixel by pixel. A picture that is missing is written once the screen holds still, updated with `-u`, and not
   * written in CI. When it does not match, the pictures of what was expected, what there was, and the difference are
   * written beside the machine’s log. With `.not` it waits for the whole window and fails when the picture is shown.
   *
   * @example
   * await expect(vm).toMatchScreenshot()
   * await expect(vm).toMatchScreenshot({ name: 'boot-menu', mask: [{ x: 560, y: 0, width: 80, height: 16 }] })
   */
  toMatchScreenshot(options?: ScreenshotOptions): Promise<void>
}
