// @ts-check
/**
 * Finds and downloads packages of Debian for any architecture, and checks their signatures. Needs no root, and does not
 * change the package lists of the host.
 */
import { existsSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run, StepError } from '../commands.mjs'

/**
 * @typedef {object} DebianPackage
 * @property {string} name
 * @property {string} version
 * @property {string} architecture `amd64`, or `all`
 * @property {string} file name of the file that apt writes
 * @property {string} source name of the source package
 * @property {string} sourceVersion
 * @property {number} sizeBytes
 * @property {string} sha256 hex
 * @property {readonly string[]} depends names of the packages that it depends on; the first of alternatives
 */

/**
 * @typedef {object} DebianOptions
 * @property {string} directory private directory for configuration and lists, with packages in `debs/`. Packages that it
 *   contains already are not downloaded again
 * @property {string} architecture Debian's name: `arm64`
 * @property {readonly string[]} suites `['trixie', 'trixie-backports']`
 * @property {Readonly<Record<string, string>>} [pins] source package → its suite, for suites that apt does not use by default:
 *   `{ qemu: 'trixie-backports' }`
 * @property {(line: string) => void} [report] called with progress
 */

/**
 * @typedef {object} Debian
 * @property {(name: string) => Promise<DebianPackage>} find the version that apt would install
 * @property {(names: readonly string[]) => Promise<ReadonlyMap<string, DebianPackage>>} findAll packages that exist, by name. One
 *   call for many is much faster
 * @property {(packages: readonly DebianPackage[]) => Promise<readonly string[]>} download resolves with their paths
 */

const MIRROR = 'http://deb.debian.org/debian'
const SECURITY_MIRROR = 'http://deb.debian.org/debian-security'
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** @param {DebianOptions} options @returns {Promise<Debian>} */
export async function openDebian({ directory, architecture, suites, pins = {}, report }) {
  const env = { ...process.env, APT_CONFIG: await configure({ directory, architecture, suites, pins }), LC_ALL: 'C' }
  await run(['apt-get', 'update', '-q', '-o', 'APT::Update::Error-Mode=any'], { env, report })
  const debs = join(directory, 'debs')
  await mkdir(debs, { recursive: true })
  /** @type {Map<string, DebianPackage | undefined>} */
  const known = new Map()

  /** @type {Debian['findAll']} */
  const findAll = async (names) => {
    const unknown = names.filter((name) => !known.has(name))
    if (unknown.length > 0) {
      for (const name of unknown) known.set(name, undefined)
      const text = await run(['apt-cache', 'show', '--no-all-versions', ...unknown], { env, allowFailure: true })
      for (const found of text.split('\n\n').map(parseStanza)) if (found) known.set(found.name, found)
    }
    return new Map(
      names.flatMap((name) => {
        const found = known.get(name)
        return found ? [[name, found]] : []
      }),
    )
  }

  return {
    findAll,
    async find(name) {
      const found = (await findAll([name])).get(name)
      if (!found) throw new StepError(`Debian (${suites.join(', ')}) has no package ${name} for ${architecture}`)
      return found
    },
    async download(packages) {
      const missing = packages.filter(({ file }) => !existsSync(join(debs, file)))
      if (missing.length > 0) {
        const targets = missing.map(({ name, version }) => `${name}=${version}`)
        // apt writes to its working directory, and renames a file when it is complete and its hash is correct.
        await run(['apt-get', 'download', '-q', ...targets], { env, cwd: debs, report })
      }
      return packages.map(({ file }) => join(debs, file))
    },
  }
}

/**
 * Unpacks the files of a package.
 * @param {string} deb path of the package @param {string} directory
 */
export async function unpackDeb(deb, directory) {
  await mkdir(directory, { recursive: true })
  await run(['dpkg-deb', '-x', deb, directory], { env: process.env })
}

/**
 * The licence text of an unpacked package. A link to the text of another package of the same source is followed if that
 * package is unpacked in the same folder.
 * @param {string} directory @param {string} name of the package @returns {Promise<string>}
 */
export async function copyrightOf(directory, name) {
  try {
    return await readFile(join(directory, 'usr', 'share', 'doc', name, 'copyright'), 'utf8')
  } catch {
    throw new StepError(`${name} has no copyright file below ${directory}`)
  }
}

/** @param {Pick<Required<DebianOptions>, 'directory' | 'architecture' | 'suites' | 'pins'>} options */
async function configure({ directory, architecture, suites, pins }) {
  if (!existsSync(KEYRING)) {
    throw new StepError(
      `${KEYRING} is missing: install the package debian-archive-keyring, and apt, to build packages.`,
    )
  }
  const state = join(directory, 'state')
  const cache = join(directory, 'cache')
  // Pins of an earlier list of suites would select other versions.
  await rm(state, { recursive: true, force: true })
  await mkdir(join(state, 'lists', 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  const files = {
    status: join(directory, 'status'),
    sources: join(directory, 'sources.list'),
    preferences: join(directory, 'preferences'),
    configuration: join(directory, 'apt.conf'),
  }
  await writeFile(files.status, '')
  const mirrorOf = (/** @type {string} */ suite) => (suite.endsWith('-security') ? SECURITY_MIRROR : MIRROR)
  await writeFile(
    files.sources,
    suites.map((suite) => `deb [signed-by=${KEYRING}] ${mirrorOf(suite)} ${suite} main\n`).join(''),
  )
  await writeFile(
    files.preferences,
    Object.entries(pins)
      .map(([source, suite]) => `Package: src:${source}\nPin: release n=${suite}\nPin-Priority: 990\n\n`)
      .join(''),
  )
  const settings = {
    // As root, apt would download as another user, which has no access to the directory.
    'APT::Sandbox::User': 'root',
    'APT::Architecture': architecture,
    'Dir::State': state,
    'Dir::State::status': files.status,
    'Dir::Cache': cache,
    'Dir::Etc::sourcelist': files.sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': files.preferences,
    'Dir::Etc::preferencesparts': '/dev/null',
    'Acquire::Languages': 'none',
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`)
  await writeFile(
    files.configuration,
    `${lines.join('')}#clear APT::Architectures;\nAPT::Architectures { "${architecture}"; };\n`,
  )
  return files.configuration
}

/**
 * Parses a stanza of `apt-cache show`; undefined for other text.
 * @param {string} text @returns {DebianPackage | undefined}
 */
export function parseStanza(text) {
  const fields = new Map(
    text.split('\n').flatMap((line) => {
      const [, key, value] = /^([\w-]+): (.*)$/.exec(line) ?? []
      return key !== undefined && value !== undefined ? [[key, value]] : []
    }),
  )
  const [name, version, architecture, size, sha256] = ['Package', 'Version', 'Architecture', 'Size', 'SHA256'].map(
    (key) => fields.get(key),
  )
  if (!name || !version || !architecture || !size || !sha256) return undefined
  // `Source: glib2.0 (2.84.4-3~deb13u1)`: the version is given only if it differs, for example after a rebuild.
  const [, source = name, sourceVersion = version] = /^(\S+)(?: \((.+)\))?$/.exec(fields.get('Source') ?? name) ?? []
  return {
    name,
    version,
    architecture,
    // apt escapes the colon of an epoch.
    file: `${name}_${version.replaceAll(':', '%3a')}_${architecture}.deb`,
    source,
    sourceVersion,
    sizeBytes: Number(size),
    sha256,
    depends: ['Pre-Depends', 'Depends'].flatMap((key) =>
      (fields.get(key) ?? '').split(',').flatMap((entry) => /[\w.+-]+/.exec(entry)?.[0] ?? []),
    ),
  }
}
