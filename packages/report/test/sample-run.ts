/** Builds sample runs with the files of their machines. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import type { AttemptReport, ErrorReport, RunReport, TestReport } from '@coldboot/report'

/** A temporary folder of a project after a run. */
export class SampleProject implements Disposable {
  readonly root: string = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-page-')))
  /** Path of the page. */
  readonly page: string = join(this.root, '.vitest', 'coldboot', 'index.html')

  write(path: string, content: string | Uint8Array): string {
    const file = join(this.root, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    return file
  }

  /** Creates the folder of a machine with these files. */
  machine(path: string, files: Readonly<Record<string, string | Uint8Array>>): string {
    const folder = join('.vitest', 'coldboot', path)
    mkdirSync(join(this.root, folder), { recursive: true })
    for (const [name, content] of Object.entries(files)) this.write(join(folder, name), content)
    return join(this.root, folder)
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }
}

/** Formats values as JSON, one per line. */
export function jsonLines(...objects: readonly unknown[]): string {
  return objects.map((object) => `${JSON.stringify(object)}\n`).join('')
}

/** Formats events as a recording. */
export function castOf(...events: readonly (readonly [time: number, code: 'o' | 'i' | 'm', data: string])[]): string {
  return jsonLines({ version: 2, width: 80, height: 24, timestamp: 1_790_000_000, env: { TERM: 'linux' } }, ...events)
}

/** A test. By default it passed in its first attempt. */
export function sampleTest(names: readonly string[], about: Partial<TestReport> = {}): TestReport {
  return { names, file: 'boot.test.ts', state: 'passed', duration: 1_234, attempts: [], ...about }
}

/** An attempt. By default it failed. */
export function sampleAttempt(about: Partial<AttemptReport> = {}): AttemptReport {
  return { state: 'failed', label: 'first attempt', errors: [], machines: [], guestTests: [], ...about }
}

/** A run of these tests. */
export function sampleRun(
  project: SampleProject,
  tests: readonly TestReport[],
  errors: readonly ErrorReport[] = [],
): RunReport {
  return { runner: 'Vitest 5.1.1', root: project.root, started: 1_795_000_000_000, duration: 73_400, tests, errors }
}

/** A PNG file of one color, 320 × 200 pixels. @param blue from 0 to 255 */
export function samplePicture(blue = 0x80, [width, height]: readonly [number, number] = [320, 200]): Uint8Array {
  const row = Buffer.concat([Buffer.from([0]), Buffer.alloc(width * 3, Buffer.from([0x20, 0x30, blue]))])
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type), data])
    const out = Buffer.alloc(body.length + 8)
    out.writeUInt32BE(data.length, 0)
    out.set(body, 4)
    out.writeUInt32BE(crc32(body), body.length + 4)
    return out
  }
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: height }, () => row)))
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}
