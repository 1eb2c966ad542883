/**
 * Measures a suite of 100 tests with a fresh machine each in Vitest, without and with a template of an earlier run.
 * Goal: under 20 s on 2 cores, including the build of the template.
 *
 * Run: node bench/suite.bench.ts [--rounds 5]
 */
import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { readEnvironment } from '@coldboot/core/internal'
import { linuxGuest } from '@coldboot/guest'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

// Downloads the kernel and builds the image first, because they are not part of the measurement.
await linuxGuest()
const { cacheDirectory } = readEnvironment()
const vitest = join(dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs')
const root = fileURLToPath(new URL('suite', import.meta.url))

async function run(cache: string): Promise<void> {
  const env = { ...process.env, COLDBOOT_CACHE: cache }
  const { stdout } = await promisify(execFile)(process.execPath, [vitest, 'run', '--root', root], { env })
  if (!stdout.includes('100 passed')) throw new Error(stdout)
}

const cache = await mkdtemp(join(tmpdir(), 'coldboot-bench-'))
try {
  for (const folder of ['kernels', 'initramfs']) {
    await cp(join(cacheDirectory, folder), join(cache, folder), { recursive: true, preserveTimestamps: true })
  }
  await sideBySide(
    '100 tests, a fresh machine each',
    [
      {
        name: 'no template yet',
        async run() {
          await rm(join(cache, 'templates'), { recursive: true, force: true })
          await run(cache)
        },
      },
      { name: 'template of an earlier run', run: () => run(cache) },
    ],
    benchOptions({ rounds: 5 }),
  )
} finally {
  await rm(cache, { recursive: true, force: true })
}
