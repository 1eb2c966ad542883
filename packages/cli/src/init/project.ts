/** Reads the properties of a project that `coldboot init` uses. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { OptionError } from '@coldboot/core'

/** Test runners with a package of their own. */
export const RUNNERS: readonly ['vitest', 'jest'] = ['vitest', 'jest']

/** `vitest` or `jest`. */
export type Runner = (typeof RUNNERS)[number]

/** A package manager, recognized by its lock file. */
export type PackageManager = 'npm' | 'pnpm' | 'yarn'

/** Properties of a project. */
export interface Project {
  readonly directory: string
  /** Names of the files and folders in the directory. */
  readonly names: ReadonlySet<string>
  /** Text of `package.json`. */
  readonly manifestText: string
  readonly manifest: Manifest
  /** Names of all dependencies. */
  readonly dependencies: ReadonlySet<string>
  /** Whether `.js` files are ES modules. */
  readonly isModule: boolean
  readonly isTypeScript: boolean
  readonly packageManager: PackageManager
  /** Text of `.gitignore`; undefined when there is none. */
  readonly gitignore: string | undefined
}

/** The fields of `package.json` that `coldboot init` reads. */
export interface Manifest {
  readonly type?: unknown
  readonly jest?: unknown
  readonly scripts?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, unknown>>
  readonly devDependencies?: Readonly<Record<string, unknown>>
}

/** @throws OptionError `FILE_MISSING` without a `package.json`, `INVALID_OPTION` for one that is not JSON */
export function readProject(directory: string): Project {
  const path = join(directory, 'package.json')
  if (!existsSync(path)) {
    throw new OptionError('FILE_MISSING', `There is no package.json in ${directory}`, {
      hint: 'Run this in the folder of a project, or make one with `npm init -y`.',
    })
  }
  const manifestText = readFileSync(path, 'utf8')
  const manifest = parseManifest(path, manifestText)
  const names = new Set(readdirSync(directory))
  const dependencies = new Set(Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }))
  return {
    directory,
    names,
    manifestText,
    manifest,
    dependencies,
    isModule: manifest.type === 'module',
    isTypeScript: names.has('tsconfig.json') || dependencies.has('typescript'),
    packageManager: packageManagerOf(directory),
    gitignore: names.has('.gitignore') ? readFileSync(join(directory, '.gitignore'), 'utf8') : undefined,
  }
}

/**
 * Returns the runner that the project uses.
 * @throws OptionError `INVALID_OPTION` when it uses both runners
 */
export function runnerOf({ dependencies, names, manifest }: Project): Runner {
  const ours = RUNNERS.filter((runner) => dependencies.has(`@coldboot/${runner}`))
  if (ours[0] !== undefined && ours.length === 1) return ours[0]
  const isConfigured = (runner: Runner): boolean =>
    dependencies.has(runner) || [...names].some((name) => name.startsWith(`${runner}.config.`))
  const used = RUNNERS.filter((runner) => isConfigured(runner) || (runner === 'jest' && manifest.jest !== undefined))
  if (used.length > 1) {
    throw new OptionError('INVALID_OPTION', 'This project uses Vitest and Jest', {
      hint: 'Say which one is to run the tests of machines: `--runner vitest` or `--runner jest`.',
    })
  }
  return used[0] ?? 'vitest'
}

function parseManifest(path: string, text: string): Manifest {
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch (cause) {
    throw new OptionError('INVALID_OPTION', `${path} is not JSON`, { cause })
  }
  if (typeof manifest === 'object' && manifest !== null && !Array.isArray(manifest)) return manifest
  throw new OptionError('INVALID_OPTION', `${path} has no object`)
}

// The lock file of a workspace is in a parent folder of its packages.
function packageManagerOf(directory: string): PackageManager {
  if (existsSync(join(directory, 'pnpm-lock.yaml'))) return 'pnpm'
  if (existsSync(join(directory, 'yarn.lock'))) return 'yarn'
  if (existsSync(join(directory, 'package-lock.json'))) return 'npm'
  const parent = dirname(directory)
  return parent === directory ? 'npm' : packageManagerOf(parent)
}
