// @ts-check
/**
 * Writes docs/errors.md from the table of codes, so that the page says what the messages say.
 *
 * Run: node scripts/error-catalogue.mjs
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ERROR_CODES } from '../packages/core/src/errors.ts'

const ROOT = join(import.meta.dirname, '..')
export const CATALOGUE = join(ROOT, 'docs', 'errors.md')

/** What each code says has happened. @type {Readonly<Record<string, string>>} */
const MEANINGS = {
  UNKNOWN_OPTION: 'An option has a name that there is not.',
  INVALID_OPTION: 'An option has a value that it cannot have, or does not go with another one.',
  FILE_MISSING: 'A file or directory that an option names is not there, not readable, or of another kind.',
  DEVICE_CONFLICT: 'Two devices of a machine claim the same id, tag or address.',
  NAME_CONFLICT: 'Two machines of a test have one name.',
  UNSUPPORTED_PLATFORM: 'This operating system cannot run machines.',
  GUEST_MODULE_MISSING: "The guest's kernel has no module of this name.",
  DIRECTORY_UNSHAREABLE: "A directory has something that the guest's file system cannot hold.",
  DEVICE_UNAVAILABLE: 'The host lacks what a device needs.',
  QEMU_NOT_FOUND: 'There is no QEMU where it was looked for.',
  QEMU_TOO_OLD: 'QEMU is older than 7.2, or did not say its version.',
  CACHE_UNUSABLE: 'The folder for kernels, images and templates cannot be made, or not be written in.',
  GUEST_KERNEL_UNAVAILABLE: 'The kernel for the small guest could not be fetched.',
  START_FAILED: 'QEMU ended before the machine ran, or did not answer.',
  QMP_FAILED: 'QEMU refused a command.',
  ATTACH_FAILED: 'A guest that goes on from a save cannot have a device that is attached then.',
  DEVICE_NOT_ATTACHED: 'A device was used that belongs to no machine that runs.',
  MACHINE_EXITED: 'The machine has ended, and something was asked of it.',
  TEMPLATE_UNSAVABLE: 'The machine cannot be saved, and so no other can start from it.',
  EXPECT_TIMEOUT: 'The pattern was not printed in time.',
  EXPECT_EXITED: 'The machine ended before it printed the pattern.',
  EXPECT_ABORTED: 'The wait was ended from outside: by its `signal`, or by the end of the test.',
  CHANNEL_ENDED: 'The guest closed a channel, or ended, before it said that it was done.',
  CHANNEL_GARBLED: 'A line on a channel is no JSON.',
  OUTPUT_DROPPED: 'So much was printed that its start is no longer kept, and the rest does not have the pattern.',
  PATTERN_TOO_SLOW: 'A regular expression took too long on what was printed.',
  BOOT_TIMEOUT: 'The `ready` pattern was not printed in `bootTimeout`.',
  COMMAND_FAILED: 'A command in the guest ended with an exit code other than 0.',
  COMMAND_TIMEOUT: 'A command in the guest did not end in time.',
  COMMAND_ABORTED: 'The wait for a command was ended from outside.',
  COMMAND_LOST: 'The machine ended while a command ran in it.',
  COMMAND_NOT_STARTED: 'The guest could not start a command.',
  COMMAND_GARBLED: 'The output of a command could not be told from other output.',
  WAIT_TIMEOUT: 'What was waited for in the guest did not come true in time, or cannot any more.',
  LOGIN_FAILED: 'The login on the console was refused, or no prompt came.',
  LOGIN_PASSWORD_EXPIRED: 'The password has expired, and the guest asks for a new one.',
  GUEST_FILE_MISSING: 'A file in the guest is not there.',
  GUEST_FILE_DENIED: 'The guest does not allow it.',
  GUEST_FILE_FAILED: 'A file in the guest could not be read or written.',
  TESTS_FAILED: 'Tests in the guest failed, or did not all run.',
  TESTS_UNREADABLE: 'Tests in the guest left no report that can be read.',
  EVENT_INVALID: 'An event of the guest is not what its schema says.',
  SHELL_SILENT: 'No shell answers on the console.',
  GUEST_PANICKED: "The guest's kernel panicked, or its first program crashed.",
  GUEST_OOPSED: "The guest's kernel met an error in itself: an oops, a BUG, a report of KASAN or the like.",
  GUEST_HUNG: 'A CPU or a task of the guest is stuck, or its watchdog ran out.',
  GUEST_OUT_OF_MEMORY: "The guest's kernel killed a process for want of memory.",
  GUEST_EMERGENCY_SHELL: 'The boot gave up and opened a shell for repairs (systemd, dracut, initramfs-tools).',
  GUEST_NOT_BOOTED: 'The firmware found nothing to boot.',
  GUEST_CUSTOM_FAILURE: "The console printed what a monitor of the user's own watches for.",
  TEST_TIMEOUT: "The test's own time is up, or too short for what is asked.",
  TEST_ENDED: 'The test has ended, and something of it still ran.',
  FORGOTTEN_AWAIT: 'A test passed while one of its waits was pending.',
}

/** The page's text. */
export function catalogue() {
  const classes = classesOfCodes()
  const lines = [
    '# Errors',
    '',
    '<!-- Written by scripts/error-catalogue.mjs from packages/core/src/errors.ts: change it there. -->',
    '',
    'Every error is a `ColdbootError` with a stable `code`; `ColdbootError.is(error)` tells it from others, also across two',
    'copies of the package. Its message says what happened, then what to do, then shows what belongs to it: the output that',
    'came closest, the circumstances, the end of the console, the command line and the path of the log.',
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

/** The table's codes under its own comments. */
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

/** Which classes are thrown with which code, as the sources have it. */
function classesOfCodes() {
  /** @type {Map<string, string[]>} */
  const classes = new Map()
  for (const text of sources(join(ROOT, 'packages'))) {
    for (const [, name = '', code = ''] of text.matchAll(/(\w+Error)(?:\(|, )\s*'([A-Z_]+)'/g)) note(name, code)
    if (text.includes('INCIDENT_KINDS:')) {
      for (const [, code = ''] of text.matchAll(/code: '([A-Z_]+)'/g)) note('GuestError', code)
    }
  }
  note('GuestError', 'GUEST_CUSTOM_FAILURE')
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
