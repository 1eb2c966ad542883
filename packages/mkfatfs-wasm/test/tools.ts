/** Runs dosfstools and mtools of Debian to check images. */
import { execFile } from 'node:child_process'
import { closeSync, openSync, readSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { promisify } from 'node:util'

const exec = promisify(execFile)
const ZEROS = Buffer.alloc(2 ** 16)
// Adds the directory of dosfstools, which is only in root's PATH. Without a UTF-8 locale, mtools replace non-ASCII characters.
const env = {
  ...process.env,
  PATH: `${process.env['PATH']}:/usr/sbin:/sbin`,
  LC_ALL: 'C.UTF-8',
  MTOOLS_SKIP_CHECK: '1',
}

/** Runs a tool. Returns its output, or rejects with an error that contains the output. */
export async function tool(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await exec(name, args, { env, maxBuffer: 2 ** 26 }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`)
  })
  return stdout
}

/** Resolves if `fsck.fat -n` finds no fault in the volume at `offset` of the image; else rejects. */
export async function fsck(image: string, { offset = 0, size = 0 } = {}): Promise<void> {
  const volume = offset === 0 ? image : copyPart(image, offset, size)
  const output = await tool('fsck.fat', '-n', volume)
  // Some faults, such as a boot sector that differs from its copy, do not change the exit code.
  if (output.trimEnd().split('\n').length !== 2) throw new Error(output)
}

/** Returns the sorted paths of all files in the volume, listed by `mdir`. */
export async function mdirFiles(image: string, offset = 0): Promise<string[]> {
  const output = await tool('mdir', '-b', '-/', '-a', '-i', `${image}@@${offset}`, '::/')
  const paths = output.split('\n').filter((line) => line.startsWith('::/'))
  return paths
    .map((path) => path.slice(3))
    .filter((path) => !path.endsWith('/'))
    .toSorted()
}

/** Extracts all files with `mcopy` into the existing directory `target`. The image must not be empty. */
export async function mcopyOut(image: string, target: string, offset = 0): Promise<void> {
  await tool('mcopy', '-s', '-m', '-n', '-i', `${image}@@${offset}`, '::/*', target)
}

/** Converts a name like mtools, which replace characters beyond 16 bits. */
export function asMtoolsShow(path: string): string {
  return path.replace(/[\u{10000}-\u{10ffff}]/gu, '__')
}

/** Copies bytes from `offset` on to a file beside the image. Zeros remain holes. */
function copyPart(image: string, offset: number, size: number): string {
  const part = `${image}.part`
  writeFileSync(part, '')
  truncateSync(part, size)
  const source = openSync(image, 'r')
  const target = openSync(part, 'r+')
  const chunk = Buffer.alloc(ZEROS.length)
  for (let done = 0; done < size; ) {
    const bytes = readSync(source, chunk, 0, Math.min(chunk.length, size - done), offset + done)
    if (bytes === 0) break
    if (!chunk.subarray(0, bytes).equals(ZEROS.subarray(0, bytes))) writeSync(target, chunk, 0, bytes, done)
    done += bytes
  }
  closeSync(source)
  closeSync(target)
  return part
}
