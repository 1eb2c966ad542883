/**
 * Finds and downloads packages of Debian's archive with the host's apt. apt checks signatures, and runs without root and
 * without changing the system's package lists. Packages of other architectures use a private configuration.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError, StartError } from '@coldboot/core'
import { ExecaError, execa } from 'execa'

/** A package as the archive describes it. */
export interface ArchivePackage {
  readonly name: string
  readonly version: string
  readonly sizeBytes: number
  /** Hex. */
  readonly sha256: string
  /** Names of the packages that it depends on. Of alternatives, the first. */
  readonly depends: readonly string[]
}

/** An archive for one architecture, made by {@link openArchive}. */
export interface Archive {
  /**
   * The current version of a package.
   * @param hint hint of the error
   * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when the archive has no such package or cannot be reached
   */
  find(name: string, hint?: string): Promise<ArchivePackage>
  /**
   * Downloads a package into the archive's directory; resolves with its path.
   * @throws StartError `GUEST_KERNEL_UNAVAILABLE` when that fails
   */
  download(found: ArchivePackage, onFraction?: (fraction: number) => void): Promise<string>
}

/**
 * @param debianName architecture by Debian's name
 * @param directory private and empty: configuration, lists and packages go there
 */
export async function openArchive(debianName: string, directory: string): Promise<Archive> {
  const native = (await run('dpkg', ['--print-architecture'], {})).trim() === debianName
  const configuration = join(directory, 'apt.conf')
  const own = await privateConfiguration(debianName, directory)
  // Run by root, apt would download as the user _apt, who cannot enter the directory, and print a warning.
  await writeFile(configuration, `APT::Sandbox::User "root";\n${native ? '' : own}`)
  const environment = { APT_CONFIG: configuration, LC_ALL: 'C' }
  let listsAreOwn = false

  const fetchLists = async (): Promise<void> => {
    await writeFile(configuration, own)
    listsAreOwn = true
    // Ignores errors, because some sources may lack the architecture. A package that is missing then is reported by `find`.
    await execa('apt-get', ['update', '-qq'], { env: environment, reject: false, stdin: 'ignore' })
  }

  const find = async (name: string, hint?: string): Promise<ArchivePackage> => {
    if (!native && !listsAreOwn) await fetchLists()
    const show = (): Promise<string> =>
      run('apt-cache', ['show', '--no-all-versions', name], environment).catch(() => '')
    let text = await show()
    // A new system, for example in a container, has no package lists.
    if (text === '' && !listsAreOwn) {
      await fetchLists()
      text = await show()
    }
    const found = parsePackage(text)
    if (found) return found
    throw new StartError('GUEST_KERNEL_UNAVAILABLE', `This system's archive has no package ${name} for ${debianName}`, {
      ...(hint === undefined ? {} : { hint }),
    })
  }

  const download = async (found: ArchivePackage, onFraction?: (fraction: number) => void): Promise<string> => {
    const target = `${found.name}:${debianName}=${found.version}`
    const subprocess = execa('apt-get', ['download', '-q', '-o', 'APT::Status-Fd=3', target], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
    })
    try {
      for await (const line of subprocess.iterable({ from: 'fd3' })) {
        // dlstatus:1:23.5:Retrieving file 1 of 1
        const percent = /^dlstatus:\d+:([\d.]+):/.exec(String(line))?.[1]
        if (percent !== undefined) onFraction?.(Number(percent) / 100)
      }
      await subprocess
    } catch (cause) {
      throw failure(`Cannot download ${found.name}`, cause)
    }
    // apt escapes the colon of an epoch.
    return join(directory, `${found.name}_${found.version.replaceAll(':', '%3a')}_${debianName}.deb`)
  }

  return { find, download }
}

/** The first stanza of `apt-cache show`; undefined when the text has none. */
export function parsePackage(text: string): ArchivePackage | undefined {
  const fields = new Map<string, string>()
  for (const line of (text.split('\n\n')[0] ?? '').split('\n')) {
    const [, key, value] = /^([\w-]+): (.*)$/.exec(line) ?? []
    if (key !== undefined && value !== undefined) fields.set(key, value)
  }
  const [name, version, size, sha256] = ['Package', 'Version', 'Size', 'SHA256'].map((key) => fields.get(key))
  if (!name || !version || !size || !sha256) return undefined
  const depends = (fields.get('Depends') ?? '').split(',').flatMap((entry) => /[\w.+-]+/.exec(entry)?.[0] ?? [])
  return { name, version, sizeBytes: Number(size), sha256, depends }
}

async function privateConfiguration(debianName: string, directory: string): Promise<string> {
  // apt.conf(5) has no escapes inside of quotes.
  if (/["\n]/.test(directory)) {
    throw new OptionError('INVALID_OPTION', `The cache folder's path has a quote or a line break in it: ${directory}`, {
      hint: 'apt cannot take it: set COLDBOOT_CACHE to another folder.',
    })
  }
  const state = join(directory, 'state')
  const cache = join(directory, 'cache')
  const status = join(directory, 'status')
  await mkdir(join(state, 'lists', 'partial'), { recursive: true })
  await mkdir(join(cache, 'archives', 'partial'), { recursive: true })
  await writeFile(status, '')
  const settings = {
    'APT::Sandbox::User': 'root',
    'APT::Architecture': debianName,
    'Dir::State': state,
    'Dir::State::status': status,
    'Dir::Cache': cache,
    'Acquire::Languages': 'none',
  }
  const lines = Object.entries(settings).map(([key, value]) => `${key} "${value}";\n`)
  return `${lines.join('')}APT::Architectures { "${debianName}"; };\n`
}

async function run(command: string, args: readonly string[], env: Record<string, string>): Promise<string> {
  try {
    return (await execa(command, args, { env, stdin: 'ignore' })).stdout
  } catch (cause) {
    throw failure(`Cannot run ${command}`, cause)
  }
}

function failure(what: string, cause: unknown): unknown {
  if (!(cause instanceof ExecaError)) return cause
  const absent = cause.code === 'ENOENT'
  const printed = String(cause.stderr ?? '').trim()
  const why = absent ? 'this host has none, so it is not Debian' : printed || cause.shortMessage
  // No `cause`: test runners print all properties of an ExecaError, most of which do not help.
  return new StartError('GUEST_KERNEL_UNAVAILABLE', `${what}: ${why}`, {
    sections: { 'The command': printed === '' ? undefined : cause.shortMessage },
  })
}
