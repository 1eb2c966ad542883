// @ts-check
/**
 * Builds the agent for every architecture, into `bin/`: `node packages/guest/agent/build.mjs`. On Debian 12, as root:
 *
 *     apt install gcc gcc-{i686,aarch64,powerpc64le,riscv64,s390x}-linux-gnu gcc-arm-linux-gnueabihf
 *     apt install linux-libc-dev-{i386,arm64,ppc64el,riscv64,s390x,armhf}-cross
 *
 * The result depends on the source and on the compiler alone; `bin/manifest.json` has both of what is there.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

/** Architecture by QEMU's name → its compiler, as Debian calls it, and what it must be told. */
export const TARGETS = /** @type {Readonly<Record<string, { compiler: string, flags: readonly string[] }>>} */ ({
  x86_64: { compiler: 'x86_64-linux-gnu-gcc', flags: [] },
  i386: { compiler: 'i686-linux-gnu-gcc', flags: [] },
  aarch64: { compiler: 'aarch64-linux-gnu-gcc', flags: [] },
  arm: { compiler: 'arm-linux-gnueabihf-gcc', flags: ['-marm'] },
  riscv64: { compiler: 'riscv64-linux-gnu-gcc', flags: ['-Wl,--no-warn-rwx-segments'] },
  ppc64: { compiler: 'powerpc64le-linux-gnu-gcc', flags: [] },
  s390x: { compiler: 's390x-linux-gnu-gcc', flags: [] },
})

const SOURCES = ['agent.c', 'system.h']

const FLAGS = [
  ...['-std=gnu11', '-Os', '-Wall', '-Wextra', '-Werror'],
  ...['-ffreestanding', '-nostdlib', '-static', '-fno-pie', '-no-pie', '-fomit-frame-pointer'],
  ...['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fno-unwind-tables', '-fno-ident'],
  // Else gcc makes of the loop in memcpy a call of memcpy.
  '-fno-tree-loop-distribute-patterns',
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-Wl,-z,norelro', '-s'],
]

/** @param {string | Uint8Array} data */
const sha256 = (data) => createHash('sha256').update(data).digest('hex')

/** What the binaries are built from. */
export function sourceDigest() {
  return sha256(SOURCES.map((name) => sha256(readFileSync(join(folder, name)))).join())
}

/**
 * First line of what a compiler says of itself; undefined where it is not installed.
 * @param {string} compiler
 */
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
 * Builds one.
 * @param {string} arch
 * @param {string} output path of the program
 */
export function build(arch, output) {
  const target = TARGETS[arch]
  if (!target) throw new Error(`There is no target ${arch}`)
  const command = [...FLAGS, ...target.flags, 'agent.c', '-o', output, '-lgcc']
  execFileSync(target.compiler, command, { cwd: folder, stdio: 'inherit' })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(join(folder, 'bin'), { recursive: true })
  /** @type {Record<string, { sha256: string, compiler: string | undefined }>} */
  const built = {}
  for (const [arch, { compiler }] of Object.entries(TARGETS)) {
    const output = join(folder, 'bin', arch)
    build(arch, output)
    built[arch] = { sha256: sha256(readFileSync(output)), compiler: compilerVersion(compiler) }
  }
  writeFileSync(join(folder, 'bin', 'manifest.json'), `${JSON.stringify({ source: sourceDigest(), built }, null, 2)}\n`)
}
