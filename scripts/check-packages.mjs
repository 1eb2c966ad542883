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
import { tarballFaults } from './pack/tarball-faults.mjs'
import { pnpmCommand, ROOT } from './setup.mjs'

/** Names of the packages with code. Other packages contain files of Debian packages, and packing them takes long. */
function packagesWithCode() {
  return readdirSync(join(ROOT, 'packages')).filter((name) => {
    const folder = join(ROOT, 'packages', name)
    const isCommand = 'bin' in JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return isCommand || existsSync(join(folder, 'tsconfig.json'))
  })
}

/** Packs and checks the packages with code. */
export async function checkPackages() {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-pack-'))
  try {
    const withCode = packagesWithCode()
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
 * Returns exports that are only available in the workspace, because `publishConfig` replaces all exports.
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
  const contents = createPackageFromTarballData(bytes)
  const faults = tarballFaults(contents)
  // A package with only a command has no types.
  if (Object.keys(pkg.exports ?? {}).every((path) => path === './package.json')) {
    return [...messages.map((message) => formatMessage(message, pkg) ?? message.code), ...faults]
  }
  const analysis = await checkPackage(contents)
  const wrongTypes = analysis.types
    ? /** @type {const} */ (['node16-esm', 'bundler']).flatMap((resolutionKind) =>
        filterProblems(analysis, { resolutionKind }).map(
          ({ kind }) => `${problemKindInfo[kind].title} (${resolutionKind})`,
        ),
      )
    : ['it has no types']
  return [...messages.map((message) => formatMessage(message, pkg) ?? message.code), ...wrongTypes, ...faults]
}
