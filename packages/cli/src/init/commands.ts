/** Commands of package managers and test runners, for the output of `coldboot init` and for workflows. */
import type { PackageManager, Project, Runner } from './project.ts'

const ADD: Readonly<Record<PackageManager, string>> = {
  npm: 'npm install --save-dev',
  pnpm: 'pnpm add --save-dev',
  yarn: 'yarn add --dev',
}

const EXECUTE: Readonly<Record<PackageManager, string>> = { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn' }

/** Command that adds development dependencies. */
export function addCommand(manager: PackageManager, packages: readonly string[]): string {
  return [ADD[manager], ...packages].join(' ')
}

/** Command that runs all tests once. Jest needs a flag of Node for tests that are ES modules. */
export function testCommand(runner: Runner, project: Project, isModuleTest: boolean): string {
  if (runner === 'vitest') return `${EXECUTE[project.packageManager]} vitest run`
  if (isModuleTest) return 'node --experimental-vm-modules node_modules/jest/bin/jest.js'
  return `${EXECUTE[project.packageManager]} jest`
}
