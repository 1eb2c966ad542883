/**
 * Measures a suite of 20 small test files in Vitest with default options and the published form of the packages: without coldboot,
 * with the plugin and no VM, with a VM in each file, and the same tests in one file.
 * Goals: with the plugin and no VM, at most 1.25 times the time without coldboot; with a VM in each file, at most 1.5 times the time
 * with the plugin and no VM. The last row is the time of the VMs alone, which a run adds at least if the workers keep all CPUs busy.
 *
 * Run: node bench/many-files.bench.ts [--rounds 5]
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { Template } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { type InstalledProject, installProject } from '../packages/vitest/test/installed-project.ts'
import { bundlePackages } from '../scripts/bundle.mjs'
import { bareRestore } from './bare-restore.ts'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

const FILES = 20

const PLUGIN = `import { coldboot } from '@coldboot/vitest/plugin'\nexport default { plugins: [coldboot()] }\n`
const adds = (from: string): string =>
  `import { expect, test } from '${from}'\ntest('adds', () => expect(1 + 1).toBe(2))\n`
const IMPORT = `import { expect, test } from '@coldboot/vitest'\n`
const runs = (name: string): string =>
  `test('${name}', async ({ vm }) => expect((await vm.run('echo $((6 * 7))')).stdout).toMatch(/^42/))\n`

/** A project with these test files. */
function suite(config: string, files: readonly string[]): InstalledProject {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
  try {
    mkdirSync(join(folder, 'tests'))
    writeFileSync(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n')
    writeFileSync(join(folder, 'vitest.config.ts'), config)
    for (const [index, text] of files.entries()) writeFileSync(join(folder, 'tests', `file-${index}.test.ts`), text)
    return installProject(folder)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function files(text: string): readonly string[] {
  return Array.from({ length: FILES }, () => text)
}

async function run(project: InstalledProject, args: readonly string[] = []): Promise<void> {
  const { output } = await project.run(args)
  if (!output.includes(`${FILES} passed`)) throw new Error(output)
}

/** The same machines and commands without a test runner, one for each CPU at a time. */
async function bareMachines(): Promise<void> {
  let left = FILES
  const work = async (): Promise<void> => {
    while (left-- > 0) {
      const qemu = await bareRestore(saved.key)
      qemu.console.write("sh -c 'echo $((6 * 7))'\n")
      await qemu.printed('\n42\r\n')
      await qemu.end()
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, work))
}

// Downloads the guest before the measurements.
await linuxGuest()
const saved = await Template.build({ ...(await linuxGuest({ agent: false })), accelerator: 'tcg' })
await bundlePackages()
const bare = suite('export default {}\n', files(adds('vitest')))
const plugin = suite(PLUGIN, files(adds('@coldboot/vitest')))
const machines = suite(PLUGIN, files(IMPORT + runs('runs')))
const oneFile = suite(PLUGIN, [IMPORT + Array.from({ length: FILES }, (_, index) => runs(`runs ${index}`)).join('')])
try {
  await sideBySide(
    `${FILES} tests`,
    [
      { name: 'a file each, bare Vitest', run: () => run(bare) },
      { name: 'a file each, the plugin, no VM', run: () => run(plugin) },
      { name: 'a file each, the plugin, no VM, --no-isolate', run: () => run(plugin, ['--no-isolate']) },
      { name: 'a file each, a command in a VM', run: () => run(machines) },
      { name: 'a file each, a command in a VM, --no-isolate', run: () => run(machines, ['--no-isolate']) },
      { name: 'one file, a command in a VM', run: () => run(oneFile) },
      { name: 'the same VMs and commands, bare QEMU', run: bareMachines },
    ],
    benchOptions({ rounds: 5 }),
  )
} finally {
  for (const project of [bare, plugin, machines, oneFile]) project[Symbol.dispose]()
}
