// @ts-check
/**
 * Packs each package and checks it with publint and "are the types wrong" (for ESM; ignores `require` and the resolution of
 * Node 10).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { filterProblems, problemKindInfo } from '@arethetypeswrong/core/problems'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { run, StepError } from './commands.mjs'
import { pnpmCommand, ROOT } from './setup.mjs'

/** Packs and checks the packages with code. Packages with only data have no types, and packing them takes long. */
export async function checkPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-pack-'))
  try {
    const withCode = readdirSync(join(ROOT, 'packages')).filter((name) =>
      existsSync(join(ROOT, 'packages', name, 'tsconfig.json')),
    )
    const pack = [
      ...(await pnpmCommand(process.env)),
      ...withCode.map((name) => `--filter=./packages/${name}`),
      'pack',
      '--pack-destination',
      folder,
    ]
    await run(pack, { env: process.env, cwd: ROOT })
    const problems = withCode.flatMap(unpublishedExports)
    for (const name of readdirSync(folder)) {
      for (const problem of await problemsOf(readFileSync(join(folder, name)))) problems.push(`${name}: ${problem}`)
    }
    if (problems.length > 0) throw new StepError(problems.join('\n'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * Exports that only the workspace has: `publishConfig` replaces them all.
 * @param {string} name of the folder
 */
function unpublishedExports(name) {
  const { exports = {}, publishConfig } = JSON.parse(readFileSync(join(ROOT, 'packages', name, 'package.json'), 'utf8'))
  const published = Object.keys(publishConfig?.exports ?? exports)
  const missing = Object.keys(exports).filter((path) => !published.includes(path))
  return missing.map((path) => `${name}: \`publishConfig.exports\` lacks ${path}`)
}

/** @param {Buffer} tarball @returns {Promise<string[]>} */
async function problemsOf(tarball) {
  const bytes = new Uint8Array(tarball)
  const { messages, pkg } = await publint({ pack: { tarball: bytes.buffer }, strict: true })
  const analysis = await checkPackage(createPackageFromTarballData(bytes))
  const wrongTypes = analysis.types
    ? /** @type {const} */ (['node16-esm', 'bundler']).flatMap((resolutionKind) =>
        filterProblems(analysis, { resolutionKind }).map(
          ({ kind }) => `${problemKindInfo[kind].title} (${resolutionKind})`,
        ),
      )
    : ['it has no types']
  return [...messages.map((message) => formatMessage(message, pkg) ?? message.code), ...wrongTypes]
}
