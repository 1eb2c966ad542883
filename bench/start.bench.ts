/**
 * Measures load times of the published packages, as whole processes: the import of the fixtures compared with the import of Vitest,
 * and the help of the command line tool compared with an empty program. Outside of Vitest, the import of the fixtures ends with an
 * error, but only after all modules were loaded.
 * Goals: the import at most 1.3 times Vitest's; the help at most 1.3 times an empty program plus 60 ms.
 *
 * Run: node bench/start.bench.ts [--rounds 15]
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { installProject } from '../packages/vitest/test/installed-project.ts'
import { bundlePackages } from '../scripts/bundle.mjs'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

const { rounds } = benchOptions({ rounds: 15 })
const run = promisify(execFile)

await bundlePackages()
const source = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
writeFileSync(join(source, 'package.json'), '{ "private": true, "type": "module" }\n')
const project = installProject(source)

/** Runs Node in the project. */
function node(name: string, ...args: readonly string[]) {
  return { name, run: () => run(process.execPath, args, { cwd: project.root }).then(() => {}) }
}

function imports(name: string) {
  return node(`import '${name}'`, '--input-type=module', '-e', `await import('${name}').catch(() => {})`)
}

try {
  await sideBySide(
    'Import in a process of its own',
    [imports('vitest'), imports('@coldboot/vitest'), node('empty program', '-e', '0')],
    { rounds },
  )
  await sideBySide(
    'Command line tool',
    [node('empty program', '-e', '0'), node('coldboot --help', 'node_modules/@coldboot/cli/bundle/run.js', '--help')],
    { rounds },
  )
} finally {
  project[Symbol.dispose]()
  rmSync(source, { recursive: true, force: true })
}
