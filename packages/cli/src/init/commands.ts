/** Commands of the package managers and the runners, printed by `coldboot init` and written into a workflow. */
import type { PackageManager, Project, Runner } from './project.ts'

const ADD: Readonly<Record<PackageManager, string>> = {
  npm: 'npm install --save-dev',
  pnpm: 'pnpm add --save-dev',
  yarn: 'yarn add --dev',
}

const EXECUTE: Readonly<Record<PackageManager, string>> = { npm: 'npx', pnpm: 'pnpm exec', yarn: 'yarn' }

/** Adds packages for development. */
export function addCommand(manager: PackageManager, packages: readonly string[]): string {
  return [ADD[manager], ...packages].join(' ')
}

/** Runs all tests once. Jest needs a flag of Node for tests that are ES modules. */
export function testCommand(runner: Runner, project: Project, isModuleTest: boolean): string {
  if (runner === 'vitest') return `${EXECUTE[project.packageManager]} vitest run`
  if (isModuleTest) return 'node --experimental-vm-modules node_modules/jest/bin/jest.js'
  return `${EXECUTE[project.packageManager]} jest`
}
