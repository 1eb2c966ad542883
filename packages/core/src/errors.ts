/**
 * Every error this project throws: one base, a stable code from one table, and a few subclasses split by what the
 * caller would do about it.
 */

/** Stable codes with the sentence that says, in general, what to do. The catalogue in the documentation is made from it. */
export const ERROR_CODES = {
  // The call is wrong: change the options.
  UNKNOWN_OPTION: 'Remove the option, or spell it as the suggestion says.',
  INVALID_OPTION: 'Give the option a value of the kind the message names.',
  FILE_MISSING: 'Check the path, which is relative to the current directory, and that this user may read it.',
  DEVICE_CONFLICT: 'Give each device an id, tag or address of its own, or leave it out and let one be chosen.',
  NAME_CONFLICT: 'Give each machine of a test a name of its own.',
  UNSUPPORTED_PLATFORM: 'Run on Linux or macOS; on Windows, inside WSL 2.',
  GUEST_MODULE_MISSING:
    'Spell the module as `modprobe` takes it. The cloud flavour has few modules: 9p, AHCI, e1000 and USB are in the generic one.',
  DIRECTORY_UNSHAREABLE: 'Rename, move or remove what the message lists, or share another directory.',
  // The host lacks something: install it.
  DEVICE_UNAVAILABLE: 'Let the host have what the device needs, as the message says, or leave the device out.',
  QEMU_NOT_FOUND:
    'Install QEMU with the command in the message, or name the binary with the `qemu` option or COLDBOOT_QEMU.',
  QEMU_TOO_OLD: 'Install QEMU 7.2 or newer.',
  CACHE_UNUSABLE: 'Name a folder that this user may write in, with room on its disk, with COLDBOOT_CACHE.',
  GUEST_KERNEL_UNAVAILABLE:
    'Name a kernel and an initramfs of your own in COLDBOOT_KERNEL and COLDBOOT_INITRAMFS, or run on Debian with its archive in reach.',
  NO_TERMINAL:
    'Run the test from a terminal: `debug()` has nobody to talk to in CI and in the background. Remove it, or unset COLDBOOT_DEBUG.',
  // The machine did not start, or is no longer there.
  START_FAILED: 'Read what QEMU printed; paste the command line into a shell to try it by hand.',
  QMP_FAILED: 'The machine refused a command on its control channel; the message has its reason.',
  ATTACH_FAILED: "The guest's own words are in the message: a driver or a mount point that it lacks, most often.",
  DEVICE_NOT_ATTACHED: 'Use the device while, or after, a machine with it in its `devices` runs.',
  MACHINE_EXITED: 'The machine is gone. Read the end of its console for the reason.',
  TEMPLATE_UNSAVABLE: 'Start the machine by a boot (`template: "off"`), or leave out the device that cannot be saved.',
  // What was expected did not come.
  EXPECT_TIMEOUT:
    'Compare the pattern with the console below; raise `timeout` only if the machine was still making progress.',
  EXPECT_EXITED: 'The machine ended before it printed the pattern. Read the end of its console for the reason.',
  EXPECT_ABORTED: "The test ended while it was still waiting: give the wait a timeout below the test's own.",
  CHANNEL_ENDED: 'The guest fell silent before it said it was done. Read the end of its console for the reason.',
  CHANNEL_GARBLED: 'Write one JSON value a line to the channel, and nothing else; read bytes from `stream`.',
  OUTPUT_DROPPED: 'Look for it in the log file; or raise the cap of the log, or print less.',
  PATTERN_TOO_SLOW: 'Rewrite the regular expression without nested repetition, or match a plain string.',
  BOOT_TIMEOUT: 'The machine did not become ready in its own time slot (`bootTimeout`). Read how far the boot came.',
  // A command in the guest.
  COMMAND_FAILED: 'Read its output: the guest ran it, and its exit code was not 0.',
  COMMAND_TIMEOUT: 'Read how far it came; raise `timeout` only if it was still making progress.',
  COMMAND_ABORTED: "The test ended while the command ran: give it a `timeout` below the test's own.",
  COMMAND_LOST:
    'The machine ended while the command ran. Type what ends a machine with `send`, and wait for the end with `wait`.',
  COMMAND_NOT_STARTED: 'The message has the reason why the guest could not start it.',
  COMMAND_GARBLED: 'Silence what prints on the console meanwhile, or give the machine an agent, which does not use it.',
  WAIT_TIMEOUT: "Read the last try's output; raise `timeout` only if it was on its way.",
  LOGIN_FAILED: 'Read the end of the console; check name and password, and that a getty runs there.',
  LOGIN_PASSWORD_EXPIRED: 'Give `newPassword` to `login`, or prepare the guest with a password that does not expire.',
  GUEST_FILE_MISSING: 'Check the path in the guest: it, or a directory above it, is not there.',
  GUEST_FILE_DENIED: 'Use another path, or another user: the guest does not allow it.',
  GUEST_FILE_FAILED: "The message has the guest's own reason.",
  TESTS_FAILED: 'Read what each failed test printed; give `check: false` to look at the cases yourself.',
  TESTS_UNREADABLE: 'Have the command print nothing but the report, or name its file with `report`.',
  EVENT_INVALID: 'Correct what the guest sends, or the schema.',
  COMMAND_OUTPUT_TOO_LARGE: 'Have the command write to a file in the guest, or print less.',
  AGENT_SILENT:
    'Check that the guest has the agent (`linuxGuest` has) and starts it; `via: "shell"` uses the console instead.',
  SHELL_SILENT:
    "Wait until a shell prints its prompt, with the machine's `ready`, or log in with `login`; read the end of the console for where it is.",
  // The guest failed while something was awaited, or before.
  GUEST_PANICKED: 'Read the panic, and the console before it: the kernel says what it could not go on without.',
  GUEST_OOPSED: 'Read the trace: its topmost function that is yours is where to look.',
  GUEST_HUNG: 'Read what the stuck task was doing; it has the locks and the functions it was in.',
  GUEST_OUT_OF_MEMORY: 'Give the machine more `memory`, or the killed process less to do.',
  GUEST_EMERGENCY_SHELL: 'Read why the boot gave up; usually a disk or a file system has another name or is missing.',
  GUEST_NOT_BOOTED:
    'Check that the disk or the image has a boot loader for this firmware (BIOS or UEFI). Beside a disk for data alone, say what boots: `...(await linuxGuest())`, or a `kernel`.',
  GUEST_CUSTOM_FAILURE: 'The machine printed what a monitor of `failOn.custom` watches for.',
  // The test itself, in a test runner.
  TEST_TIMEOUT: 'Give the test more time with its `timeout` option, or its waits less.',
  TEST_ENDED: 'Await everything the test starts before it returns.',
  MACHINE_NOT_STARTED:
    'Ask for the machine in the test, or in a hook after the one that starts it; in `test.concurrent`, use `withVM`.',
  JEST_ENVIRONMENT_MISSING:
    'Set `preset: "@coldboot/jest"` in the Jest configuration, or `testEnvironment: "@coldboot/jest/environment"`.',
  FORGOTTEN_AWAIT: 'Write `await` before it: without, the test passes whatever comes of it.',
} as const

/** A stable code, fit for comparing with `error.code`. */
export type ErrorCode = keyof typeof ERROR_CODES

/** What an error carries besides its message. */
export interface ColdbootErrorOptions {
  /** What to do about it. Default: the code's sentence in {@link ERROR_CODES}. */
  readonly hint?: string
  /** The error that led to this one. */
  readonly cause?: unknown
  /** Parts printed below the message in this order: title → text. Empty texts are left out. */
  readonly sections?: Readonly<Record<string, string | undefined>>
}

// A worker may load this package twice (source and build, two copies in node_modules): `instanceof` then fails, the
// registered symbol does not.
const brand = Symbol.for('coldboot.error')

/** Base of all errors of this project. `message` has what happened and why, the hint, and the sections. */
export class ColdbootError extends Error {
  override readonly name: string = 'ColdbootError'
  /** Stable, for programs. */
  readonly code: ErrorCode
  /** The first part of `message`: what happened and why, without hint and sections. */
  readonly shortMessage: string
  /** What to do. */
  readonly hint: string
  /** The parts below the message: title → text. */
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
  }

  /** Whether `value` is an error of this project, also one made by another copy of this package. */
  static is(value: unknown): value is ColdbootError {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/**
 * The call is wrong; nothing was spawned. Codes `UNKNOWN_OPTION`, `INVALID_OPTION`, `FILE_MISSING`, `*_CONFLICT`,
 * `GUEST_MODULE_MISSING`, `DEVICE_UNAVAILABLE`, `DIRECTORY_UNSHAREABLE`.
 */
export class OptionError extends ColdbootError {
  override readonly name: string = 'OptionError'
}

/**
 * The host lacks something or the machine could not start. Codes `QEMU_*`, `GUEST_KERNEL_UNAVAILABLE`, `START_FAILED`,
 * `UNSUPPORTED_PLATFORM`.
 */
export class StartError extends ColdbootError {
  override readonly name: string = 'StartError'
}

/** The machine is gone or refused. Codes `MACHINE_EXITED`, `QMP_FAILED`, `ATTACH_FAILED`. */
export class MachineError extends ColdbootError {
  override readonly name: string = 'MachineError'
}

/** A machine cannot be saved or started from a save. Code `TEMPLATE_UNSAVABLE`. */
export class TemplateError extends ColdbootError {
  override readonly name: string = 'TemplateError'
}

/** What was awaited did not come. Codes `EXPECT_*`, `CHANNEL_*`, `OUTPUT_DROPPED`, `PATTERN_TOO_SLOW`, `BOOT_TIMEOUT`, `TEST_*`, `FORGOTTEN_AWAIT`. */
export class ExpectError extends ColdbootError {
  override readonly name: string = 'ExpectError'
}

/** The guest failed, by its own words: `GUEST_*`. Every wait for it is rejected then. */
export class GuestError extends ExpectError {
  override readonly name: string = 'GuestError'
}

/** The layout of every message: what happened, what to do about it, and titled sections, of which empty ones are left out. */
export function layoutMessage(
  shortMessage: string,
  hint: string,
  sections: Readonly<Record<string, string | undefined>>,
): string {
  return `${shortMessage}\n${hint}${layoutSections(sections)}`
}

/** Titled sections, each with a blank line before it; empty ones are left out. */
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
