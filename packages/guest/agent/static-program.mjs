// @ts-check
/** Compiles a small program without a C library for each architecture. The same source and compiler produce the same bytes. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @typedef {object} StaticProgram
 * @property {string} folder directory of the sources; the results are written to `bin/` in it
 * @property {readonly string[]} sources paths relative to the folder; the first is compiled and includes the others
 * @property {Readonly<Record<string, { compiler: string, flags: readonly string[] }>>} targets architecture by QEMU's name →
 *   its compiler, as Debian calls it, and its flags
 */

const FLAGS = [
  ...['-std=gnu11', '-Os', '-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-nostdlib', '-static', '-fno-pie', '-no-pie', '-fomit-frame-pointer'],
  ...['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-ident'],
  // Else gcc replaces the loop in memcpy by a call of memcpy.
  '-fno-tree-loop-distribute-patterns',
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-Wl,-z,norelro', '-s'],
]

/** @param {string | Uint8Array} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex')

/** Identifies the sources of a program. @param {StaticProgram} program */
export function sourceDigest({ folder, sources }) {
  return sha256(sources.map((name) => sha256(readFileSync(join(folder, name)))).join())
}

/** First line of a compiler's version; undefined if it is not installed. @param {string} compiler */
export function compilerVersion(compiler) {
  try {
    return execFileSync(compiler, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split(
      '\n',
    )[0]
  } catch {
    return undefined
  }
}

/**
 * Compiles for one architecture.
 * @param {StaticProgram} program @param {string} arch @param {string} output path of the result
 */
export function buildProgram({ folder, sources, targets }, arch, output) {
  const target = targets[arch]
  if (!target) throw new Error(`There is no target ${arch}`)
  const command = [...FLAGS, ...target.flags, sources[0] ?? '', '-o', output, '-lgcc']
  execFileSync(target.compiler, command, { cwd: folder, stdio: 'inherit' })
}

/** Compiles for all architectures, into `bin/`, and lists the results in `bin/manifest.json`. @param {StaticProgram} program */
export function buildAll(program) {
  const bin = join(program.folder, 'bin')
  mkdirSync(bin, { recursive: true })
  /** @type {Record<string, { sha256: string, compiler: string | undefined }>} */
  const built = {}
  for (const [arch, { compiler }] of Object.entries(program.targets)) {
    const output = join(bin, arch)
    buildProgram(program, arch, output)
    built[arch] = { sha256: sha256(readFileSync(output)), compiler: compilerVersion(compiler) }
  }
  writeFileSync(join(bin, 'manifest.json'), `${JSON.stringify({ source: sourceDigest(program), built }, null, 2)}\n`)
}
