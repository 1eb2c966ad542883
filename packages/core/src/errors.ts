/** Base class, codes and subclasses of all errors that this project throws. */
import { types } from 'node:util'

/** Stable codes, each with its default hint. docs/errors.md is generated from this table. */
export const ERROR_CODES = {
  // Invalid calls: change the options.
  UNKNOWN_OPTION: 'Remove the option or correct its spelling.',
  INVALID_OPTION: 'Pass a value of the kind that the message names.',
  FILE_MISSING:
    'Check that the path exists (a relative one starts at the current directory) and that this user may read it.',
  DEVICE_CONFLICT: 'Give each device its own id, tag or address, or omit it to have one chosen.',
  NAME_CONFLICT: 'Give each machine of the test its own `name`.',
  UNSUPPORTED_PLATFORM: 'Run on Linux or macOS. On Windows, use WSL 2.',
  GUEST_MODULE_MISSING:
    'Write the name of the module as `modprobe` expects it. The `cloud` flavour has few modules: 9p, AHCI, e1000 and USB are in `generic`.',
  KERNEL_MISMATCH:
    'Use the modules that were built with the kernel, and the `arch` that it was built for: the message names both.',
  DIRECTORY_UNSHAREABLE: 'Rename, move or remove the listed files, or share another directory.',
  ROOTFS_INVALID:
    'Make the archive again, for example with `docker save` or `tar -C DIRECTORY -cf root.tar .`. Do not use it if you do not know who made it.',
  ROOTFS_TOO_LARGE: 'If the source is known to be good, raise `maxSize`. Otherwise do not use it.',
  // Missing on the host: install it.
  DEVICE_UNAVAILABLE: 'Give the host what the device needs (see the message), or remove the device.',
  QEMU_NOT_FOUND:
    'Install QEMU with the command in the message, or set the `qemu` option or COLDBOOT_QEMU to the path of the binary.',
  QEMU_TOO_OLD: 'Install QEMU 7.2 or newer.',
  NODE_TOO_OLD: 'Install a newer Node.js, for example with nvm, or set its version in the CI workflow.',
  CACHE_UNUSABLE: 'Set COLDBOOT_CACHE to a writable folder on a disk with free space.',
  GUEST_KERNEL_UNAVAILABLE:
    'Install the package `@coldboot/guest-<arch>`, or set COLDBOOT_KERNEL and COLDBOOT_INITRAMFS to your own kernel and initramfs, or run on Debian with access to its package archive.',
  NO_TERMINAL:
    'Run it in a terminal: a console is interactive and cannot work in CI or in the background. Otherwise remove the call of `debug()`, unset COLDBOOT_DEBUG, or use `coldboot resume --run`.',
  // The machine did not start, or has ended.
  START_FAILED: 'See what QEMU printed. Run the command line in a shell to reproduce the failure.',
  QMP_FAILED: 'QEMU refused a QMP command. The reason is in the message.',
  ATTACH_FAILED: "The guest's error is in the message. Most often, the guest lacks a driver or a mount point.",
  DEVICE_NOT_ATTACHED: 'Start a machine with this device in its `devices` before you use the device.',
  MACHINE_EXITED: 'The machine is not running any more. The end of its console often shows why.',
  MACHINE_POWERED: 'Call `powerCut()` first. To boot a running machine again, call `reset()`.',
  TEMPLATE_UNSAVABLE: 'Boot the machine for every test (`template: "off"`), or remove the device that cannot be saved.',
  MACHINE_UNSAVABLE: 'Remove the device that the message names, or detach it in the guest first.',
  DUMP_FAILED: 'The reason is in the message. Raise `maxBytes` or `timeout`, or free space on the disk.',
  SAVE_ABANDONED: 'Raise `maxBytes` or `timeout`, or give the machine less memory.',
  MACHINE_FILE_INVALID: 'The file is damaged, or coldboot did not write it. Copy or download it again.',
  MACHINE_FILE_MISFIT: 'Provide what the message names, or resume the machine on a host that has it.',
  CHECKPOINT_GONE: 'Make the checkpoint in the test that uses it: checkpoints end with their test.',
  // Waits that failed.
  SCREEN_UNREADABLE:
    'Pass the font of the console, a PSF file, as `font`, or recognize the characters with `ocr: true`. See docs/interaction.md.',
  OCR_UNAVAILABLE:
    'Install the packages that the message names: npm install --save-dev tesseract.js @tesseract.js-data/eng',
  EXPECT_TIMEOUT:
    'Compare the pattern with the console below. Raise `timeout` only if the machine was still making progress.',
  EXPECT_EXITED: 'The machine ended before it printed the pattern. The end of its console often shows why.',
  EXPECT_ABORTED: "The test ended, or `signal` aborted. Use a `timeout` that is shorter than the test's.",
  CHANNEL_ENDED: 'The guest stopped sending before its last event. The end of its console often shows why.',
  CHANNEL_GARBLED: 'Write one JSON value per line to the channel and nothing else. To read other data, use `stream`.',
  OUTPUT_DROPPED: 'Search the log file, raise the `maxBytes` of `logFile`, or print less.',
  PATTERN_TOO_SLOW: 'Rewrite the regular expression without nested repetition, or use a plain string.',
  BOOT_TIMEOUT: 'The machine did not become ready within `bootTimeout`. The console shows how far the boot got.',
  // Commands, files and tests in the guest.
  INVARIANT_FAILED: 'The invariant of `during()` must hold for its whole body. The reason is in the message.',
  COMMAND_FAILED: 'The command ran and its exit code was not 0. See its output.',
  COMMAND_TIMEOUT: 'See how far the command got. Raise `timeout` only if it was still making progress.',
  COMMAND_ABORTED: "The test ended, or `signal` aborted. Use a `timeout` that is shorter than the test's.",
  COMMAND_LOST:
    'The machine ended while the command ran. To end it on purpose, type the command with `send`, then call `waitForExit()`.',
  COMMAND_NOT_STARTED: 'The guest could not start the command. The reason is in the message.',
  COMMAND_GARBLED:
    'Stop other programs from printing on the console while the command runs, or use an agent, which does not need the console.',
  WAIT_TIMEOUT: 'See the output of the last try. Raise `timeout` only if the guest was still making progress.',
  CLOUD_INIT_FAILED: 'Correct the part of the seed that the module used. Its log is below.',
  LOGIN_FAILED:
    'See the end of the console. Check the user name and the password, and that a getty runs on this console.',
  LOGIN_PASSWORD_EXPIRED: 'Pass `newPassword` to `login()`, or give the guest a password that does not expire.',
  GUEST_FILE_MISSING: 'Check the path: the file or one of its parent directories does not exist in the guest.',
  GUEST_FILE_DENIED: 'The guest denies access. Use another path or another user.',
  GUEST_FILE_FAILED: "The guest's error is in the message.",
  TESTS_FAILED:
    'See the output of each failed test. With `check: false`, the results are returned and nothing is thrown.',
  TESTS_UNREADABLE: 'Make the command print only the report, or set `report` to the file that it writes.',
  EVENT_INVALID: 'Correct the event that the guest sends, or the schema.',
  COMMAND_OUTPUT_TOO_LARGE: 'Write the output to a file in the guest, or print less.',
  AGENT_SILENT:
    'Check that the guest has the agent (as `linuxGuest` does) and starts it. `via: "shell"` uses the console instead.',
  SHELL_SILENT:
    "Set the machine's `ready` to the prompt of a shell, or log in with `login()`. The end of the console shows what is there now.",
  // Failures of the guest.
  GUEST_PANICKED: 'Read the panic message and the console before it.',
  GUEST_OOPSED: 'Read the stack trace. Start at the topmost function that is yours.',
  GUEST_HUNG: 'Read the stack trace of the stuck task: it shows the functions and the locks.',
  GUEST_OUT_OF_MEMORY: 'Give the machine more `memory`, or make the killed process use less.',
  GUEST_EMERGENCY_SHELL: 'See the end of the console. Usually a disk or a file system is missing or has another name.',
  GUEST_NOT_BOOTED:
    'Check that the disk image has a boot loader for this firmware (BIOS or UEFI). If the disk only has data, add something to boot: `...(await linuxGuest())` or a `kernel`.',
  GUEST_CUSTOM_FAILURE: 'The console matched a pattern of `failOn.custom`.',
  // The test and its runner.
  TEST_TIMEOUT: 'Raise the `timeout` of the test, or lower those of its waits.',
  TEST_ENDED: 'Await everything that the test starts before it returns.',
  MACHINE_NOT_STARTED:
    'Use the machine inside a test, or in a hook that runs after the one that starts it. In `test.concurrent`, use `withVM`.',
  JEST_ENVIRONMENT_MISSING:
    'Set `preset: "@coldboot/jest"` in the Jest configuration, or `testEnvironment: "@coldboot/jest/environment"`.',
  FORGOTTEN_AWAIT: 'Write `await` before the call. Without `await`, its result is ignored.',
} as const

/** A stable code, to compare with `error.code`. */
export type ErrorCode = keyof typeof ERROR_CODES

/** Optional parts of an error. */
export interface ColdbootErrorOptions {
  /** What to do about the error. @default the hint of the code in `ERROR_CODES` */
  readonly hint?: string
  /** The error that caused this one. */
  readonly cause?: unknown
  /** Sections printed below the message, in this order: title → text. Empty texts are omitted. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

// `instanceof` fails if a worker loads this package twice (source and build, or two copies in node_modules). A
// registered symbol is the same in all copies.
const brand = Symbol.for('coldboot.error')

/** Base class of all errors of this project. `message` consists of `shortMessage`, `hint` and `sections`. */
export class ColdbootError extends Error {
  override readonly name: string = 'ColdbootError'
  /** Stable code, for programs. */
  readonly code: ErrorCode
  /** The first part of `message`: what happened and why, without hint and sections. */
  readonly shortMessage: string
  /** What to do about the error. */
  readonly hint: string
  /** The sections below the message: title → text. */
  readonly sections: Readonly<Record<string, string | undefined>>

  constructor(code: ErrorCode, shortMessage: string, options: ColdbootErrorOptions = {}) {
    const hint = options.hint ?? ERROR_CODES[code]
    super(
      layoutMessage(shortMessage, hint, options.sections ?? {}),
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.shortMessage = shortMessage
    this.hint = hint
    this.sections = options.sections ?? {}
    Object.defineProperty(this, brand, { value: true })
    // Not enumerable, because Node prints enumerable properties below the stack, and the message contains these
    // already.
    for (const name of ['shortMessage', 'hint', 'sections']) Object.defineProperty(this, name, { enumerable: false })
  }

  /** Properties for a test runner that serialises an error outside of its tests. */
  toJSON(): Readonly<Record<'name' | 'code' | 'message' | 'shortMessage', string>> {
    const { name, code, message, shortMessage } = this
    return { name, code, message, shortMessage }
  }

  /** Whether `value` is an error of this project, even one from another copy of this package. */
  static is(value: unknown): value is ColdbootError {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/**
 * An invalid call, or something that the call needs is missing. Codes `UNKNOWN_OPTION`, `INVALID_OPTION`,
 * `FILE_MISSING`, `*_CONFLICT`, `GUEST_MODULE_MISSING`, `KERNEL_MISMATCH`, `DEVICE_UNAVAILABLE`,
 * `DIRECTORY_UNSHAREABLE`, `ROOTFS_*`, `MACHINE_FILE_*`, `CHECKPOINT_GONE`, `NO_TERMINAL`.
 */
export class OptionError extends ColdbootError {
  override readonly name: string = 'OptionError'
}

/**
 * The host lacks something, or the machine could not start. Codes `QEMU_*`, `NODE_TOO_OLD`, `CACHE_UNUSABLE`,
 * `GUEST_KERNEL_UNAVAILABLE`, `START_FAILED`, `UNSUPPORTED_PLATFORM`.
 */
export class StartError extends ColdbootError {
  override readonly name: string = 'StartError'
}

/**
 * The machine has ended, or cannot do what was asked. Codes `MACHINE_EXITED`, `MACHINE_POWERED`, `MACHINE_UNSAVABLE`,
 * `QMP_FAILED`, `ATTACH_FAILED`, `DEVICE_NOT_ATTACHED`, `DUMP_FAILED`, `SAVE_ABANDONED`, `START_FAILED`.
 */
export class MachineError extends ColdbootError {
  override readonly name: string = 'MachineError'
}

/** A machine cannot be saved as a template. Code `TEMPLATE_UNSAVABLE`. */
export class TemplateError extends ColdbootError {
  override readonly name: string = 'TemplateError'
}

/**
 * A wait failed, or does not belong to a running test. Codes `EXPECT_*`, `CHANNEL_*`, `OUTPUT_DROPPED`,
 * `PATTERN_TOO_SLOW`, `BOOT_TIMEOUT`, `LOGIN_*`, `EVENT_INVALID`, `INVARIANT_FAILED`, `SCREEN_UNREADABLE`,
 * `OCR_UNAVAILABLE`, `TEST_TIMEOUT`, `TEST_ENDED`, `MACHINE_NOT_STARTED`, `FORGOTTEN_AWAIT`.
 */
export class ExpectError extends ColdbootError {
  override readonly name: string = 'ExpectError'
}

/**
 * A failure that the guest reported; all pending waits are rejected with it. Codes `GUEST_PANICKED`, `GUEST_OOPSED`,
 * `GUEST_HUNG`, `GUEST_OUT_OF_MEMORY`, `GUEST_EMERGENCY_SHELL`, `GUEST_NOT_BOOTED`, `GUEST_CUSTOM_FAILURE`.
 */
export class GuestError extends ExpectError {
  override readonly name: string = 'GuestError'
}

/** Formats the message of an error: the short message, the hint, then titled sections. Empty sections are omitted. */
export function layoutMessage(
  shortMessage: string,
  hint: string,
  sections: Readonly<Record<string, string | undefined>>,
): string {
  return `${shortMessage}\n${hint}${layoutSections(sections)}`
}

/** Formats titled sections, each after a blank line. Empty ones are omitted. */
export function layoutSections(sections: Readonly<Record<string, string | undefined>>): string {
  let text = ''
  for (const [title, body] of Object.entries(sections)) {
    if (body !== undefined && body !== '') text += `\n\n${title}:\n${indent(body)}`
  }
  return text
}

function indent(text: string): string {
  return text.replace(/^\n+|\n+$/g, '').replace(/^(?=.)/gm, '  ')
}

/**
 * The message of an error; for any other value, the value as text. Does not use `instanceof Error`, which fails for
 * errors of Node's modules in the realm of a test runner.
 */
export function messageOf(error: unknown): string {
  return types.isNativeError(error) ? error.message : String(error)
}

/** The code of a system error such as `ENOENT`, or undefined. */
export function codeOf(error: unknown): string | undefined {
  return typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined
}
