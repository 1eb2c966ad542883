/** Creates projects with Jest. */
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type InstalledProject, installProject } from '../../vitest/test/installed-project.ts'

const PROJECTS = fileURLToPath(new URL('projects', import.meta.url))

/** Additional packages of a project in TypeScript. */
const TYPESCRIPT = [
  '@babel/core',
  '@babel/plugin-transform-modules-commonjs',
  '@babel/preset-typescript',
  '@types/jest',
  '@types/node',
  'typescript',
]

const JEST = {
  home: fileURLToPath(new URL('..', import.meta.url)),
  packages: ['cli', 'core', 'guest', 'matchers', 'report', 'runner', 'jest', 'mkfatfs-wasm'],
  modules: ['jest', '@jest/globals', ...TYPESCRIPT],
}

/**
 * @param source name of a folder in `projects/`, or the path of another folder
 * @param modules whether the tests are ES modules
 */
export function jestProject(source: string, modules = true): InstalledProject {
  const flags = modules ? ['--disable-warning=ExperimentalWarning', '--experimental-vm-modules'] : []
  return installProject(resolve(PROJECTS, source), { ...JEST, command: [...flags, 'node_modules/jest/bin/jest.js'] })
}
