/** `coldboot init`: adds a configuration, a first test and a workflow to an existing project. Keeps existing files unchanged. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { addCommand, testCommand } from './commands.ts'
import { configurationFile, isModuleTest, lacksTransform, type NewFile, testFile } from './files.ts'
import { type Project, type Runner, readProject, runnerOf } from './project.ts'
import { workflowText } from './workflow.ts'

/** Options of {@link initialize}. */
export interface InitOptions {
  /** Test runner. @default the runner of the project, else Vitest */
  readonly runner?: Runner | undefined
  /** Whether a GitHub workflow is added. @default false */
  readonly ci?: boolean | undefined
}

const WORKFLOW = '.github/workflows/machines.yml'

/**
 * Adds the files.
 * @returns the text to print: added and kept files, and the next commands
 * @throws OptionError `FILE_MISSING`, `INVALID_OPTION`
 */
export function initialize(directory: string, options: InitOptions = {}): string {
  const project = readProject(directory)
  const runner = options.runner ?? runnerOf(project)
  const results = `.${runner}`
  const command = testCommand(runner, project, isModuleTest(runner, project))
  const lines = [
    addConfiguration(runner, project),
    addFile(project, testFile(runner, project)),
    ignoreResults(project, `${results}/`),
  ]
  if (options.ci) {
    const text = workflowText({ packageManager: project.packageManager, command, results })
    lines.push(addFile(project, { path: WORKFLOW, text }))
  }
  const missing = [`@coldboot/${runner}`, runner].filter((name) => !project.dependencies.has(name))
  const next = missing.length > 0 ? [addCommand(project.packageManager, missing), command] : [command]
  if (lacksTransform(runner, project)) {
    lines.push(
      'note     the test is JavaScript: Jest has no transform for TypeScript here (ts-jest, @swc/jest or Babel)',
    )
  }
  return [...lines, '', 'Next:', ...next.map((line) => `  ${line}`)].join('\n')
}

function addConfiguration(runner: Runner, project: Project): string {
  const file = configurationFile(runner, project)
  const tools = runner === 'vitest' ? ['vitest', 'vite'] : ['jest']
  const present = [...project.names].find((name) => tools.some((tool) => name.startsWith(`${tool}.config.`)))
  const inManifest = runner === 'jest' && project.manifest.jest !== undefined ? 'package.json' : undefined
  const configured = present ?? inManifest
  if (configured === undefined) return addFile(project, file)
  const advice =
    runner === 'vitest'
      ? `add plugins: [coldboot()], with import { coldboot } from '@coldboot/vitest/plugin'`
      : `add preset: '@coldboot/jest'`
  return `kept     ${configured}: ${advice}`
}

function addFile({ directory }: Project, { path, text }: NewFile): string {
  const target = join(directory, path)
  if (existsSync(target)) return `kept     ${path}`
  mkdirSync(dirname(target), { recursive: true })
  // Fails if another process has created the file since the check.
  writeFileSync(target, text, { flag: 'wx' })
  return `added    ${path}`
}

function ignoreResults({ directory, gitignore }: Project, line: string): string {
  const isIgnored = (gitignore ?? '')
    .split('\n')
    .some((entry) => entry.trim().replace(/^\/|\/$/g, '') === line.slice(0, -1))
  if (isIgnored) return `kept     .gitignore`
  const separator = gitignore === undefined || gitignore === '' || gitignore.endsWith('\n') ? '' : '\n'
  writeFileSync(join(directory, '.gitignore'), `${separator}${line}\n`, { flag: 'a' })
  return `added    ${line} to .gitignore`
}
