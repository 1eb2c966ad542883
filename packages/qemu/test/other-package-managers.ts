/** Projects that pnpm and Yarn install from the tarballs of a {@link Newcomer}. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Newcomer, NewcomerRun } from './newcomer.ts'

const REQUIRE = createRequire(import.meta.url)
const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))

/** A package manager with its settings for a project. */
export interface PackageManager {
  readonly title: string
  /** Script in one of the development dependencies of this package. */
  readonly script: string
  /** Names and contents of files with settings. */
  readonly settings: (overrides: Readonly<Record<string, string>>) => Readonly<Record<string, string>>
}

const yarn = (nodeLinker: string): Pick<PackageManager, 'script' | 'settings'> => ({
  script: '@yarnpkg/cli-dist/bin/yarn.js',
  settings: () => ({
    '.yarnrc.yml': `nodeLinker: ${nodeLinker}\nenableTelemetry: false\nenableGlobalCache: false\nenableImmutableInstalls: false\n`,
    // Marks the root of the project, in case a parent folder has a package.json.
    'yarn.lock': '',
  }),
})

/** The package managers other than npm. */
export const PACKAGE_MANAGERS: readonly PackageManager[] = [
  {
    title: 'pnpm with strict folders',
    script: 'pnpm/bin/pnpm.mjs',
    settings: (overrides) => ({
      'pnpm-workspace.yaml': JSON.stringify({ packages: ['.'], overrides, frozenLockfile: false }),
    }),
  },
  { title: 'Yarn with node_modules', ...yarn('node-modules') },
  { title: "Yarn with Plug'n'Play", ...yarn('pnp') },
]

/** Installs `@coldboot/vitest` and Vitest in a new project, then runs Vitest there. @param files of the project */
export async function runVitestBy(
  newcomer: Newcomer,
  { title, script, settings }: PackageManager,
  files: Readonly<Record<string, string>>,
): Promise<NewcomerRun> {
  const directory = newcomer.folder(title)
  const overrides = localPackages(newcomer)
  const manifest = {
    name: 'my-project',
    private: true,
    type: 'module',
    // Yarn does not install peer dependencies, such as Vite.
    devDependencies: {
      '@coldboot/vitest': overrides['@coldboot/vitest'],
      vite: versionOf('vite', createRequire(REQUIRE.resolve('vitest/package.json'))),
      vitest: versionOf('vitest', REQUIRE),
    },
    resolutions: overrides,
  }
  for (const [name, text] of Object.entries({
    ...settings(overrides),
    ...files,
    'package.json': JSON.stringify(manifest),
  })) {
    newcomer.writeIn(directory, name, text)
  }
  const manager = REQUIRE.resolve(script)
  const installed = await newcomer.online(directory, manager, 'install')
  if (installed.exitCode !== 0) return installed
  return newcomer.online(directory, manager, ...(script.startsWith('pnpm') ? ['exec'] : []), 'vitest', 'run')
}

function versionOf(name: string, require: NodeJS.Require): string {
  return (require(`${name}/package.json`) as { version: string }).version
}

/** Each package of the workspace → its tarball, or an empty package if it is for another host and was not packed. */
function localPackages(newcomer: Newcomer): Readonly<Record<string, string>> {
  const packed = readdirSync(newcomer.packs)
  const places = readdirSync(PACKAGES).flatMap((folder) => {
    const path = join(PACKAGES, folder, 'package.json')
    if (!existsSync(path)) return []
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as { name: string; version: string }
    const tarball = `${name.replace('@', '').replace('/', '-')}-${version}.tgz`
    const place = packed.includes(tarball)
      ? join(newcomer.packs, tarball)
      : emptyPackage(newcomer, folder, { name, version })
    return [[name, `file:${place}`] as const]
  })
  return Object.fromEntries(places)
}

function emptyPackage(newcomer: Newcomer, folder: string, manifest: object): string {
  const place = join(newcomer.home, `empty ${folder}`)
  newcomer.writeIn(place, 'package.json', JSON.stringify(manifest))
  return place
}
