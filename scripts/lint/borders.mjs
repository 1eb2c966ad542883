// @ts-check
/**
 * Import borders: which packages and folders of core may import which, and how many files a folder may have. The lint rules
 * `coldboot/borders` and `coldboot/folder-size` use these tables, and `borders.test.ts` tests each border.
 */

/** Package → packages of the workspace that it may import. A package that is not listed may import none. */
export const PACKAGES = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  'mkfatfs-wasm': [],
  qemu: [],
  core: ['mkfatfs-wasm', 'qemu'],
  matchers: ['core'],
  report: ['core'],
  guest: ['core'],
  runner: ['core', 'guest', 'matchers', 'report'],
  cli: ['core', 'guest'],
  vitest: ['cli', 'core', 'guest', 'matchers', 'report', 'runner'],
  jest: ['cli', 'core', 'guest', 'matchers', 'report', 'runner'],
})

const BASE = ['errors.ts', 'events', 'format-duration.ts', 'host', 'options']

/**
 * Folder of core → other files and folders of core that it may import. A folder without a row belongs to its parent. Rows are
 * ordered from the lowest folder to the highest. The entries, `index.ts` and `internal.ts`, are never imported.
 */
export const FOLDERS = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  'errors.ts': [],
  events: [],
  'format-duration.ts': [],
  'host/files': ['errors.ts', 'host/clock.ts', 'host/lazy-node.ts', 'host/process-identity.ts'],
  'host/machines': ['errors.ts', 'host/files', 'host/process-identity.ts'],
  host: ['errors.ts'],
  options: ['errors.ts'],
  'console/text': [],
  'console/log': ['host'],
  'console/match': ['errors.ts', 'console/log', 'console/text'],
  'console/incident': ['errors.ts', 'host', 'console/match', 'console/text'],
  'console/failure': ['errors.ts', 'format-duration.ts', 'console/incident', 'console/match', 'console/text'],
  'console/expect': [...BASE, 'console/failure', 'console/match', 'console/text'],
  console: BASE,
  'network/frames': ['errors.ts', 'host/clock.ts', 'options'],
  network: ['errors.ts', 'host/clock.ts', 'options'],
  devices: [...BASE, 'console', 'network'],
  spec: [...BASE, 'console', 'devices'],
  qemu: [...BASE, 'devices', 'spec'],
  guest: [...BASE, 'console', 'devices', 'spec'],
  machine: [...BASE, 'console', 'devices', 'spec', 'qemu', 'guest'],
  'template/store': [...BASE, 'devices', 'spec', 'qemu'],
  template: [...BASE, 'devices', 'spec', 'qemu', 'guest', 'machine'],
  'vm.ts': ['spec', 'machine', 'template'],
  'template.ts': ['spec', 'template'],
})

/**
 * Largest number of files, without tests, in core's top folder and in each other folder. `unlimited` lists folders with one file
 * per entry of a page.
 */
export const FILES_PER_FOLDER = { top: 6, folder: 14, unlimited: /** @type {readonly string[]} */ (['devices']) }

/** The entries of core, which may import all files of core. */
export const ENTRIES = ['index.ts', 'internal.ts']

/** The only file of core that may start processes. */
export const SPAWNER = 'qemu/process.ts'

/** Modules that start processes. */
export const SPAWNING_MODULES = ['execa', 'child_process', 'node:child_process']
