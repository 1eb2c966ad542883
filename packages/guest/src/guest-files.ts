/** Turns the option `files` into entries of the initramfs. Checks every path and content. */
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { OptionError } from '@coldboot/core'
import type { CpioEntry } from './cpio.ts'

/**
 * One file of the guest. A string or bytes: the content. `source`: path of a file or directory on the host, copied with
 * its content; `link`: target of a symbolic link. `mode`: permission bits.
 * @default mode 0o755 for a file that is executable on the host or begins with `#!`, else 0o644
 */
export type GuestFile =
  | string
  | Uint8Array
  | { readonly content: string | Uint8Array; readonly mode?: number }
  | { readonly source: string; readonly mode?: number }
  | { readonly link: string }

/** Files by their absolute path in the guest. */
export type GuestFiles = Readonly<Record<string, GuestFile>>

const DEFAULT_MODE = 0o644
const EXECUTABLE_MODE = 0o755
const DIRECTORY_MODE = 0o755
const LONGEST_NAME = 255
const LONGEST_PATH = 4095
/** Largest file, bytes: Node's limit for one read. Much smaller files are already better on a disk. */
const MOST_BYTES = 2 ** 31 - 1

/** Directories that are hidden by mounts at boot. */
const MOUNT_POINTS = ['proc', 'sys', 'dev', 'run', 'tmp']
/** Files that the guest needs to start. */
const OWN_PATHS = ['init', 'bin/busybox', 'etc/coldboot', 'etc/inittab']
/** Directories that are links to `bin`. */
const MERGED = /^(?:sbin|usr\/s?bin)(?=\/)/

/**
 * Checks and reads the files. If two names mean the same path, the later one is used.
 * @throws OptionError `INVALID_OPTION` for a path or content that cannot be used, `FILE_MISSING` for a missing source
 */
export async function readGuestFiles(files: GuestFiles): Promise<CpioEntry[]> {
  const entries = await Promise.all(
    Object.entries(files).map(([path, file]) => readGuestFile(path, checkedPath(path), file)),
  )
  return entries.flat()
}

/** `/usr/bin/tool` → `bin/tool`: a relative path, in the guest's only directory of programs. */
function checkedPath(path: string): string {
  const relative = path.slice(1).replace(MERGED, 'bin')
  const names = relative.split('/')
  const refuse = (why: string): never => {
    throw new OptionError('INVALID_OPTION', `\`files\` has the path ${JSON.stringify(path)}, which ${why}`, {
      hint: 'Give an absolute path in the guest, such as /opt/test/run.sh.',
    })
  }
  if (!path.startsWith('/')) return refuse('is not absolute')
  if (names.some((name) => name === '' || name === '.' || name === '..'))
    return refuse('has an empty name, "." or ".." in it')
  if (path.includes('\0')) return refuse('has a NUL in it')
  if (names.some((name) => Buffer.byteLength(name) > LONGEST_NAME) || Buffer.byteLength(path) > LONGEST_PATH) {
    return refuse('is longer than Linux allows: 255 bytes per name, 4095 per path')
  }
  const inside = (own: string): boolean => relative === own || relative.startsWith(`${own}/`)
  const mounted = MOUNT_POINTS.find(inside)
  if (mounted) return refuse(`would be hidden: something else is mounted on /${mounted} at boot`)
  if (OWN_PATHS.some(inside)) return refuse('belongs to the guest itself')
  return relative
}

async function readGuestFile(option: string, path: string, file: GuestFile): Promise<CpioEntry[]> {
  if (typeof file === 'string' || file instanceof Uint8Array) return [contentEntry(path, file)]
  if (typeof file === 'object' && file !== null) {
    if ('content' in file && (typeof file.content === 'string' || file.content instanceof Uint8Array)) {
      return [contentEntry(path, file.content, checkedMode(option, file.mode))]
    }
    if ('source' in file && typeof file.source === 'string') {
      return readSource(option, path, resolve(file.source), checkedMode(option, file.mode))
    }
    if ('link' in file && typeof file.link === 'string' && file.link !== '' && !file.link.includes('\0')) {
      return [{ type: 'symlink', path, target: file.link }]
    }
  }
  throw new OptionError('INVALID_OPTION', `\`files\` has an invalid value for ${option}`, {
    hint: 'Give a string, bytes, { content, mode }, { source: path on the host, mode } or { link: target }.',
  })
}

function contentEntry(path: string, content: string | Uint8Array, mode?: number): CpioEntry {
  const data = typeof content === 'string' ? Buffer.from(content) : content
  const isScript = data[0] === 0x23 && data[1] === 0x21
  return { type: 'file', path, data, mode: mode ?? (isScript ? EXECUTABLE_MODE : DEFAULT_MODE) }
}

function checkedMode(option: string, mode: number | undefined): number | undefined {
  if (mode === undefined || (Number.isInteger(mode) && mode >= 0 && mode <= 0o7777)) return mode
  throw new OptionError('INVALID_OPTION', `\`files\` has the invalid mode ${mode} for ${option}`, {
    hint: 'Give permission bits, such as 0o755.',
  })
}

async function readSource(option: string, path: string, source: string, mode?: number): Promise<CpioEntry[]> {
  // A link as the source is followed, because build outputs are often links. Links in a directory are copied as links.
  const stats = await stat(source).catch((cause: unknown) => {
    throw new OptionError('FILE_MISSING', `The source of ${option} in \`files\` cannot be read: ${source}`, { cause })
  })
  if (!stats.isDirectory()) return [await readFileEntry(path, source, stats, mode)]
  return [{ type: 'directory', path, mode: mode ?? DIRECTORY_MODE }, ...(await readTree(path, source))]
}

async function readTree(path: string, directory: string): Promise<CpioEntry[]> {
  const names = (await readdir(directory)).sort()
  const entries = names.map(async (name): Promise<CpioEntry[]> => {
    const source = join(directory, name)
    const target = `${path}/${name}`
    const stats = await lstat(source)
    if (stats.isSymbolicLink()) return [{ type: 'symlink', path: target, target: await readlink(source) }]
    if (!stats.isDirectory()) return [await readFileEntry(target, source, stats)]
    return [{ type: 'directory', path: target, mode: DIRECTORY_MODE }, ...(await readTree(target, source))]
  })
  return (await Promise.all(entries)).flat()
}

interface FileFacts {
  readonly size: number
  readonly mode: number
  isFile(): boolean
}

async function readFileEntry(path: string, source: string, stats: FileFacts, mode?: number): Promise<CpioEntry> {
  if (!stats.isFile()) {
    throw new OptionError('INVALID_OPTION', `\`files\` cannot take ${source}: it is neither file, directory nor link`)
  }
  if (stats.size > MOST_BYTES) {
    throw new OptionError(
      'INVALID_OPTION',
      `\`files\` cannot take ${source}: it has ${stats.size} bytes, but the limit is 2 GiB`,
      {
        hint: 'Give it to the machine as a disk or a shared directory.',
      },
    )
  }
  // Only the executable bit is kept, because the others depend on the umask during the checkout.
  const executable = (stats.mode & 0o111) !== 0
  return {
    type: 'file',
    path,
    data: await readFile(source),
    mode: mode ?? (executable ? EXECUTABLE_MODE : DEFAULT_MODE),
  }
}
