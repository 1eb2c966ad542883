/**
 * Measures the first test of a project, from the start of Vitest to its end: without a VM, with a cache that contains the template
 * (warm), and with an empty cache (cold). Then measures the parts of a cold run separately: the guest's files, a boot, and the boot
 * with the save of a template.
 *
 * Run: node bench/first-run.bench.ts [--rounds 5]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Template, VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { installProject } from '../packages/vitest/test/installed-project.ts'
import { bundlePackages } from '../scripts/bundle.mjs'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

const PLUGIN = `import { coldboot } from '@coldboot/vitest/plugin'\nexport default { plugins: [coldboot()] }\n`
const BARE = `import { expect, test } from 'vitest'\ntest('adds', () => expect(1 + 1).toBe(2))\n`
const MACHINE = `import { expect, test } from '@coldboot/vitest'
test('runs', async ({ vm }) => expect((await vm.run('echo $((6 * 7))')).stdout).toMatch(/^42/))\n`

const { rounds } = benchOptions({ rounds: 5 })
const scratch = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
let caches = 0
const emptyCache = (): string => {
  const path = join(scratch, `cache-${++caches}`)
  mkdirSync(path)
  return path
}

const source = join(scratch, 'project')
mkdirSync(source)
writeFileSync(join(source, 'package.json'), '{ "private": true, "type": "module" }\n')
writeFileSync(join(source, 'vitest.config.ts'), PLUGIN)
writeFileSync(join(source, 'bare.test.ts'), BARE)
writeFileSync(join(source, 'machine.test.ts'), MACHINE)
await bundlePackages()
const project = installProject(source)

async function run(file: string, cache: string): Promise<void> {
  const { output } = await project.run([file], { COLDBOOT_CACHE: cache })
  if (!output.includes('1 passed')) throw new Error(output)
}

/** Runs a function in this process with an empty cache. */
async function coldly(work: () => Promise<unknown>): Promise<void> {
  process.env['COLDBOOT_CACHE'] = emptyCache()
  await work()
}

async function boot(): Promise<void> {
  const vm = await VM.boot(await linuxGuest())
  await vm.ready()
  await vm.close()
}

try {
  const warm = emptyCache()
  await sideBySide(
    'the first test',
    [
      { name: 'bare Vitest, no VM', run: () => run('bare', warm) },
      { name: 'warm', run: () => run('machine', warm) },
      { name: 'cold', run: () => run('machine', emptyCache()) },
    ],
    { rounds },
  )
  await sideBySide(
    'parts of a cold run',
    [
      { name: "the guest's files", run: () => coldly(linuxGuest) },
      { name: "the guest's files, a boot", run: () => coldly(boot) },
      { name: "the guest's files, a boot, a save", run: () => coldly(async () => Template.build(await linuxGuest())) },
    ],
    { rounds },
  )
} finally {
  project[Symbol.dispose]()
  rmSync(scratch, { recursive: true, force: true })
}
