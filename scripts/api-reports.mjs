// @ts-check
/**
 * Keeps a report of each public entry in `api/`, with all exported names and signatures, so that reviews show API changes.
 * `checkApiReports()` fails if a report differs from the sources. Run as a program, writes the reports.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { Extractor, ExtractorConfig, ExtractorLogLevel } from '@microsoft/api-extractor'
import { StepError } from './commands.mjs'
import { ROOT } from './setup.mjs'

const API = join(ROOT, 'api')

/** Entries that only packages of this workspace may import. */
const PRIVATE_ENTRIES = ['./internal']

/**
 * The public entries of all packages with types, and the names of their reports.
 * @returns {{ report: string, folder: string, types: string }[]}
 */
function entries() {
  return readdirSync(join(ROOT, 'packages')).flatMap((name) => {
    const folder = join(ROOT, 'packages', name)
    const { exports = {} } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
    return Object.entries(exports).flatMap(([entry, target]) => {
      const types = typeof target === 'object' ? target.types : undefined
      if (types === undefined || PRIVATE_ENTRIES.includes(entry)) return []
      const report = [name, ...entry.split('/').slice(1)].join('-')
      return [{ report, folder, types: join(folder, types) }]
    })
  })
}

/** @param {ReturnType<typeof entries>[number]} entry @param {string} scratch @returns {string} the report */
function reportOf({ report, folder, types }, scratch) {
  const config = ExtractorConfig.prepare({
    configObject: {
      projectFolder: folder,
      mainEntryPointFilePath: types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            module: 'nodenext',
            target: 'es2024',
            lib: ['es2024', 'esnext.disposable'],
            types: ['node'],
            skipLibCheck: true,
            strict: true,
          },
          files: [types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: scratch,
        reportTempFolder: join(scratch, 'temp'),
        // Includes types that users see but cannot import, for example the base class of `VM`.
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        extractorMessageReporting: {
          default: { logLevel: ExtractorLogLevel.None },
          // Reports types of signatures that the entry does not export.
          'ae-forgotten-export': { logLevel: ExtractorLogLevel.Warning, addToApiReportFile: true },
        },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
    configObjectFullPath: undefined,
    packageJsonFullPath: join(folder, 'package.json'),
  })
  mkdirSync(join(scratch, 'temp'), { recursive: true })
  Extractor.invoke(config, { localBuild: true, messageCallback: (message) => void (message.handled = true) })
  const text = readFileSync(join(scratch, `${report}.api.md`), 'utf8')
  return text.replaceAll('\r\n', '\n')
}

/** @returns {Map<string, string>} file name in `api/` → content */
function reports() {
  const scratch = mkdtempSync(join(tmpdir(), 'coldboot-api-'))
  try {
    return new Map(entries().map((entry) => [`${entry.report}.api.md`, reportOf(entry, scratch)]))
  } finally {
    rmSync(scratch, { recursive: true })
  }
}

/** @param {string} name @returns {string} */
function kept(name) {
  try {
    return readFileSync(join(API, name), 'utf8')
  } catch {
    return ''
  }
}

/** @throws {StepError} with the names of the reports that differ */
export async function checkApiReports() {
  const now = reports()
  const stale = readdirSync(API).filter((name) => !now.has(name))
  const changed = [...now].flatMap(([name, text]) => (kept(name) === text ? [] : [name]))
  if (changed.length + stale.length === 0) return
  throw new StepError(
    `The public API changed: ${[...changed, ...stale].join(', ')}. Run \`npm run fix\`, and review the changes in api/.`,
  )
}

/** Writes all reports, and removes those of removed entries. */
export function writeApiReports() {
  const now = reports()
  mkdirSync(API, { recursive: true })
  for (const name of readdirSync(API)) if (!now.has(name)) rmSync(join(API, name))
  for (const [name, text] of now) writeFileSync(join(API, name), text)
}

if (basename(process.argv[1] ?? '') === 'api-reports.mjs') writeApiReports()
