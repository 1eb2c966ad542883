// @ts-check
/**
 * Writes docs/errors.md from the meanings below and the hints in packages/core/src/errors.ts.
 *
 * Run: node scripts/error-catalogue.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ERROR_CODES } from '../packages/core/src/errors.ts'

const ROOT = join(import.meta.dirname, '..')
export const CATALOGUE = join(ROOT, 'docs', 'errors.md')

/** Code → meaning. @type {Readonly<Record<string, string>>} */
const MEANINGS = {
  UNKNOWN_OPTION: 'Unknown option name.',
  INVALID_OPTION: 'An option has an invalid value or contradicts another option.',
  FILE_MISSING: 'A file or directory named by an option does not exist, is not readable, or is of the wrong kind.',
  DEVICE_CONFLICT:
    'Two devices have the same id, tag, address or port, or a device is already used by another machine.',
  NAME_CONFLICT: 'Two machines of a test have the same name.',
  UNSUPPORTED_PLATFORM: 'The operating system or the version of Node.js does not support the call.',
  GUEST_MODULE_MISSING: "The guest's kernel has no module with this name.",
  KERNEL_MISMATCH: 'A kernel does not fit its modules or the machine: another version or another architecture.',
  ROOTFS_INVALID: 'The source of a root file system is damaged or not supported, or has paths that lead out of it.',
  ROOTFS_TOO_LARGE: 'The source of a root file system unpacks to more than `maxSize`.',
  DIRECTORY_UNSHAREABLE: "A directory contains files that the guest's file system cannot represent.",
  DEVICE_UNAVAILABLE: 'The host lacks what a device needs.',
  QEMU_NOT_FOUND: 'The QEMU binary was not found.',
  QEMU_TOO_OLD: 'QEMU is older than 7.2, or does not report its version.',
  NODE_TOO_OLD: 'Node.js is older than 22.12. Packages that load `@coldboot/core` refuse it when they are loaded.',
  CACHE_UNUSABLE: 'The folder for kernels, images and templates cannot be created or written to.',
  GUEST_KERNEL_UNAVAILABLE:
    'The kernel or another part of the small guest is missing, damaged, or could not be downloaded.',
  START_FAILED: 'QEMU exited before the machine ran, or did not answer.',
  QMP_FAILED: 'QEMU refused a command.',
  ATTACH_FAILED:
    'A device could not be attached after a restore, or detached before a save or a checkpoint, for example a directory in use.',
  DEVICE_NOT_ATTACHED: 'A device was used that is not part of a running machine.',
  MACHINE_POWERED: '`powerOn()` was called for a machine whose power was not cut.',
  MACHINE_EXITED: 'An operation was attempted on a machine that has ended.',
  TEMPLATE_UNSAVABLE: 'The state of the machine cannot be saved, so it cannot become a template.',
  EXPECT_TIMEOUT: 'The pattern was not printed in time.',
  EXPECT_EXITED: 'The machine ended before it printed the pattern.',
  EXPECT_ABORTED: 'The wait was cancelled by its `signal` or by the end of the test.',
  CHANNEL_ENDED: 'The guest closed a channel, or ended, before its last event.',
  CHANNEL_GARBLED: 'A line on a channel is not valid JSON.',
  OUTPUT_DROPPED: 'The console printed more than is kept, and the part that is kept does not contain the pattern.',
  PATTERN_TOO_SLOW: 'A regular expression took too long to match the output.',
  BOOT_TIMEOUT: 'The `ready` pattern was not printed within `bootTimeout`.',
  SCREEN_UNREADABLE: 'The text on a screen cannot be read by its glyphs.',
  OCR_UNAVAILABLE: 'The packages for the recognition of characters are not installed.',
  INVARIANT_FAILED: 'The invariant of `during()` did not hold.',
  COMMAND_FAILED: 'A command in the guest ended with an exit code other than 0.',
  COMMAND_TIMEOUT: 'A command in the guest did not end in time.',
  COMMAND_ABORTED: 'The wait for a command was cancelled by its `signal` or by the end of the test.',
  COMMAND_LOST: 'The machine ended while a command ran in it.',
  COMMAND_NOT_STARTED: 'The guest could not start a command.',
  COMMAND_GARBLED: 'The output of a command could not be separated from other output on the console.',
  WAIT_TIMEOUT: 'A condition in the guest did not become true in time, or can no longer become true.',
  CLOUD_INIT_FAILED: 'A module of cloud-init failed in the guest.',
  LOGIN_FAILED: 'The login on the console was refused, or no prompt appeared.',
  LOGIN_PASSWORD_EXPIRED: 'The password has expired, and the guest asks for a new one.',
  GUEST_FILE_MISSING: 'A file in the guest does not exist.',
  GUEST_FILE_DENIED: 'The guest denied access to a file.',
  GUEST_FILE_FAILED: 'A file in the guest could not be read or written.',
  TESTS_FAILED: 'Tests in the guest failed, or some did not run.',
  TESTS_UNREADABLE: 'The report of the tests in the guest is missing or cannot be parsed.',
  EVENT_INVALID: 'An event from the guest does not match its schema.',
  SHELL_SILENT: 'No shell answers on the console.',
  GUEST_PANICKED: "The guest's kernel panicked, or its first program crashed.",
  GUEST_OOPSED: "The guest's kernel reported an error of its own: an oops, a BUG, a KASAN report or similar.",
  GUEST_HUNG: 'A CPU or a task of the guest is stuck, or its watchdog expired.',
  GUEST_OUT_OF_MEMORY: "The guest's kernel killed a process because memory ran out.",
  GUEST_EMERGENCY_SHELL: 'The boot failed and opened an emergency shell (systemd, dracut, initramfs-tools).',
  GUEST_NOT_BOOTED: 'The firmware found nothing to boot.',
  GUEST_CUSTOM_FAILURE: 'The console matched a pattern of `failOn.custom`.',
  TEST_TIMEOUT: 'The test timed out, or has too little time left for the call.',
  TEST_ENDED:
    'The test ended while something that it started was still running, or a function was called where no test runs.',
  NO_TERMINAL: 'There is no terminal for an interactive session.',
  MACHINE_UNSAVABLE: 'The machine cannot be saved in its current state.',
  DUMP_FAILED: 'The memory of the guest could not be written to a file.',
  SAVE_ABANDONED: 'A save exceeded its limits and was abandoned.',
  MACHINE_FILE_INVALID: 'A machine file is damaged, or is not a machine file.',
  MACHINE_FILE_MISFIT: 'A machine file cannot be resumed on this host.',
  CHECKPOINT_GONE: 'A checkpoint was used after its removal, or belongs to another machine.',
  COMMAND_OUTPUT_TOO_LARGE: 'A command in the guest printed more than is kept in memory.',
  AGENT_SILENT: 'No agent answers in the guest.',
  MACHINE_NOT_STARTED: 'A machine was used before it was started.',
  JEST_ENVIRONMENT_MISSING: 'Jest does not run in the environment of @coldboot/jest.',
  FORGOTTEN_AWAIT: 'A test passed while one of its waits was pending.',
}

/** Classes of codes that the sources pass on as variables. @type {Readonly<Record<string, readonly string[]>>} */
const INDIRECT = {
  DIRECTORY_UNSHAREABLE: ['OptionError'],
  COMMAND_TIMEOUT: ['GuestCommandError', 'GuestFileError'],
  COMMAND_ABORTED: ['GuestCommandError', 'GuestFileError'],
  COMMAND_LOST: ['GuestCommandError', 'GuestFileError'],
  COMMAND_NOT_STARTED: ['GuestCommandError', 'GuestFileError'],
  COMMAND_GARBLED: ['GuestCommandError', 'GuestFileError'],
  COMMAND_OUTPUT_TOO_LARGE: ['GuestCommandError', 'GuestFileError'],
  AGENT_SILENT: ['GuestCommandError', 'GuestFileError'],
  SHELL_SILENT: ['GuestCommandError', 'GuestFileError'],
  LOGIN_FAILED: ['ExpectError'],
  LOGIN_PASSWORD_EXPIRED: ['ExpectError'],
  GUEST_FILE_DENIED: ['GuestFileError'],
  JEST_ENVIRONMENT_MISSING: ['Error'],
}

/** The text of the page. */
export function catalogue() {
  const classes = classesOfCodes()
  const lines = [
    '# Errors',
    '',
    '<!-- Written by scripts/error-catalogue.mjs. Change the hints in packages/core/src/errors.ts, the meanings in that script. -->',
    '',
    'Errors are a `ColdbootError` with a stable `code`. `ColdbootError.is(error)` recognizes them, even if the package is',
    'loaded twice. The message says what happened, then what to do. Sections follow: the output that came closest to the',
    'pattern, the state of the machine, the end of the console, the command line and the path of the log. Exceptions are',
    '`JEST_ENVIRONMENT_MISSING`, which is a plain `Error` with this `code`; failed matchers, which are errors of the test',
    'runner; and the `MkfatfsError` of [mkfatfs-wasm](../packages/mkfatfs-wasm).',
  ]
  for (const { title, codes } of sections()) {
    lines.push('', `## ${title}`)
    for (const code of codes) {
      const advice = ERROR_CODES[/** @type {keyof typeof ERROR_CODES} */ (code)]
      const thrownAs = classes.get(code)?.map((name) => `\`${name}\``) ?? []
      lines.push('', `### ${code}`, '')
      if (thrownAs.length > 0) lines.push(`${thrownAs.join(', ')}. ${MEANINGS[code] ?? ''}`.trimEnd(), '')
      else if (MEANINGS[code]) lines.push(MEANINGS[code], '')
      lines.push(`**What to do:** ${advice}`)
    }
  }
  return `${lines.join('\n')}\n`
}

/** The codes, grouped by the comments of the table. */
function sections() {
  const source = readFileSync(join(ROOT, 'packages/core/src/errors.ts'), 'utf8')
  const table = source.slice(source.indexOf('ERROR_CODES = {'), source.indexOf('} as const'))
  /** @type {{ title: string, codes: string[] }[]} */
  const found = []
  for (const [, title, code] of table.matchAll(/^ {2}(?:\/\/ (.*)\.|([A-Z_]+):)/gm)) {
    if (title !== undefined) found.push({ title, codes: [] })
    else if (code !== undefined) found.at(-1)?.codes.push(code)
  }
  return found
}

/** Code → names of the classes that are thrown with it in the sources. */
function classesOfCodes() {
  /** @type {Map<string, string[]>} */
  const classes = new Map()
  for (const text of sources(join(ROOT, 'packages'))) {
    for (const [, name = '', code = ''] of text.matchAll(/(\w+Error)(?:\(|, )\s*'([A-Z_]+)'/g)) note(name, code)
    // A subclass passes its code to its base class. Those that extend `ColdbootError` itself are public.
    for (const [, own = '', base = '', code = ''] of text.matchAll(
      /(\w+Error) extends (\w+Error) \{(?:(?! extends )[^])*?super\('([A-Z_]+)'/g,
    ))
      note(base === 'ColdbootError' ? own : base, code)
    if (text.includes('INCIDENT_KINDS:')) {
      for (const [, code = ''] of text.matchAll(/code: '([A-Z_]+)'/g)) note('GuestError', code)
    }
  }
  note('GuestError', 'GUEST_CUSTOM_FAILURE')
  for (const [code, names] of Object.entries(INDIRECT)) for (const name of names) note(name, code)
  return classes

  /** @param {string} name @param {string} code */
  function note(name, code) {
    const known = classes.get(code) ?? []
    if (code in ERROR_CODES && !known.includes(name)) classes.set(code, [...known, name].sort())
  }
}

/** @param {string} folder @returns {Generator<string, void, undefined>} */
function* sources(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !['node_modules', 'dist', 'test', 'examples', 'mkfatfs-wasm'].includes(entry.name))
      yield* sources(path)
    else if (/(?<!\.test)\.ts$/.test(entry.name) && !entry.name.includes('.test')) yield readFileSync(path, 'utf8')
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(CATALOGUE, catalogue())
