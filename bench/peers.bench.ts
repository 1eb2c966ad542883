/**
 * Compares the same tests, with a fresh machine each, in coldboot, in Vitest with a few lines of `child_process`, and in pytest with
 * pexpect (Debian: python3-pytest, python3-pexpect). All use the same QEMU, kernel, initramfs and kernel command line. Prints time,
 * CPU time and peak memory as ratios, and the number of lines of the test files.
 *
 * Run: node bench/peers.bench.ts [--rounds 3] [--tests 100]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { locateQemu } from '@coldboot/core/internal'
import { linuxGuest } from '@coldboot/guest'
import { installProject } from '../packages/vitest/test/installed-project.ts'
import { bundlePackages } from '../scripts/bundle.mjs'
import { recordComparison } from './comparisons.ts'
import { benchOptions } from './options.ts'
import { startPeakMemory } from './peak-memory.ts'
import { median, sideBySide } from './side-by-side.ts'

const { rounds, tests } = benchOptions({ rounds: 3, tests: 100 })
const PEERS = fileURLToPath(new URL('peers', import.meta.url))
const PLUGIN = `import { coldboot } from '@coldboot/vitest/plugin'\nexport default { plugins: [coldboot()] }\n`

const { kernel, initramfs, kernelArgs, memory, arch } = await linuxGuest()
const qemu = await locateQemu(arch, undefined)
const command = [
  ...qemu.command,
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-accel', 'tcg', '-m', String(memory)],
  ...['-machine', 'pc,graphics=off', '-serial', 'stdio', '-kernel', kernel, '-initrd', initramfs],
  ...['-append', `console=ttyS0 loglevel=4 panic=-1 ${kernelArgs}`],
]
const env = { ...process.env, PEER_TESTS: String(tests), PEER_COMMAND: JSON.stringify(command) }

await bundlePackages()
const source = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
mkdirSync(join(source, 'tests'))
writeFileSync(join(source, 'package.json'), '{ "private": true, "type": "module" }\n')
writeFileSync(join(source, 'vitest.config.ts'), PLUGIN)
for (const file of ['coldboot.test.ts', 'by-hand.test.ts']) cpSync(join(PEERS, file), join(source, 'tests', file))
const project = installProject(source)

/** CPU seconds of this process's children that have ended, and of their children. */
function childCpu(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ').at(-1)?.split(' ') ?? []
  return (Number(fields[13]) + Number(fields[14])) / 100
}

/** Seconds of CPU time and peaks of memory in MiB, one for each round. */
const figures = new Map<string, Record<'cpu' | 'memory', number[]>>()

async function measured(name: string, file: string, args: readonly string[], cwd: string): Promise<void> {
  const before = childCpu()
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'inherit'] })
  const peakMemory = startPeakMemory(child.pid ?? 0)
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  await once(child, 'close')
  const peak = peakMemory()
  if (!output.includes(`${tests} passed`)) throw new Error(output)
  const past = figures.get(name) ?? { cpu: [], memory: [] }
  figures.set(name, { cpu: [...past.cpu, childCpu() - before], memory: [...past.memory, peak] })
}

const vitest = (name: string, file: string) => ({
  name,
  file,
  run: () => measured(name, process.execPath, ['node_modules/vitest/vitest.mjs', 'run', file], project.root),
})
const pytest = 'test_pexpect.py'
const peers = [
  vitest('coldboot', 'coldboot.test.ts'),
  vitest('Vitest, child_process', 'by-hand.test.ts'),
  {
    name: 'pytest, pexpect',
    file: pytest,
    run: () =>
      measured('pytest, pexpect', 'python3', ['-B', '-m', 'pytest', '-q', '-p', 'no:cacheprovider', pytest], PEERS),
  },
]

try {
  // Creates the template before the measurements.
  await project.run(['coldboot.test.ts'], { ...env, PEER_TESTS: '1' })
  const rows = await sideBySide(`${tests} tests, a fresh machine each`, peers, { rounds, warmup: 0 })
  const ratioOf = (name: string, figure: 'cpu' | 'memory'): number =>
    Number((median(figures.get(name)?.[figure] ?? []) / median(figures.get('coldboot')?.[figure] ?? [])).toFixed(2))
  const table = rows.map(({ name, ratio }, index) => ({
    name,
    time: Number(ratio.toFixed(2)),
    cpu: ratioOf(name, 'cpu'),
    memory: ratioOf(name, 'memory'),
    lines: readFileSync(join(PEERS, peers[index]?.file ?? ''), 'utf8')
      .split('\n')
      .filter((line) => line.trim() !== '').length,
  }))
  console.log()
  console.table(table)
  for (const [title, figure] of [
    ['CPU time', 'cpu'],
    ['peak memory', 'memory'],
  ] as const) {
    const ratios = table.map((row) => ({ name: row.name, ratio: row[figure] }))
    recordComparison({ title: `${tests} tests: ${title}`, rows: ratios })
  }
} finally {
  project[Symbol.dispose]()
  rmSync(source, { recursive: true, force: true })
}
