// @ts-check
/**
 * The borders of the house: which package, which room of core and which file may import which. The lint rule
 * `coldboot/borders` reads these tables; `borders.test.ts` crosses each border to see that it is guarded.
 */

/** Package folder → packages of the workspace its sources may import. A package that is missing here may import none. */
export const PACKAGES = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  'mkfatfs-wasm': [],
  core: ['mkfatfs-wasm'],
  matchers: ['core'],
  report: ['core'],
  guest: ['core'],
  runner: ['core', 'guest', 'matchers', 'report'],
  vitest: ['core', 'matchers', 'report', 'runner'],
  jest: ['core', 'guest', 'matchers', 'report', 'runner'],
  cli: ['core', 'matchers', 'report', 'guest'],
})

const LEAVES = [
  'architecture.ts',
  'checked-options.ts',
  'environment.ts',
  'machine-event.ts',
  'process-identity.ts',
  'private-directory.ts',
  'required-path.ts',
  'unless-aborted.ts',
]
const SPEC = ['options.ts', 'option-checks.ts', 'machine-observer.ts', 'machine-spec.ts']
const BELOW_QEMU = ['errors.ts', ...LEAVES, ...SPEC, 'console/', 'devices/']

/**
 * Files and rooms (`name/`) of core → what of core they may import besides their own room. A file at the top that is
 * missing here may import all but the face, `vm.ts`; nothing imports `index.ts`.
 */
export const ROOMS = /** @type {Readonly<Record<string, readonly string[]>>} */ ({
  'errors.ts': [],
  ...Object.fromEntries(LEAVES.map((file) => [file, ['errors.ts', 'architecture.ts', 'process-identity.ts']])),
  'console/': ['errors.ts', 'machine-event.ts'],
  'network/': ['errors.ts', 'checked-options.ts'],
  'devices/': ['errors.ts', ...LEAVES, 'console/', 'network/'],
  ...Object.fromEntries(SPEC.map((file) => [file, [...BELOW_QEMU, 'qemu/accelerator.ts']])),
  'qemu/': BELOW_QEMU,
  'template/': [...BELOW_QEMU, 'cache.ts', 'file-digest.ts', 'qemu/', 'guest/'],
  'guest/': [...BELOW_QEMU, 'qemu/'],
})

/** Files of core that start machines in another way than `VM.start`: they alone may import the face, besides `index.ts`. */
export const ABOVE_THE_FACE = ['restore.ts', 'prefetch.ts', 'template.ts', 'start-ready.ts']

/** The one file of core that may start processes. */
export const SPAWNER = 'qemu/process.ts'

/** Modules that start processes. */
export const SPAWNING_MODULES = ['execa', 'child_process', 'node:child_process']
