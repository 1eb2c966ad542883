/**
 * Lets the workers keep the compiled form of the modules that Node loads. Most workers run one test file, and each of them would
 * compile the test runner and this project again, which takes a tenth of the time of a small file.
 */
import { join } from 'node:path'
import type { Vitest } from 'vitest/node'
import type {} from './augmentation.ts'

/**
 * Sets the cache for the workers of a project, in the cache folder of Vite, unless the user has set one. Vitest disables it for
 * coverage by V8, and the user with NODE_DISABLE_COMPILE_CACHE.
 */
export function cacheCompiledModules(project: Vitest['projects'][number]): void {
  const { config, vite } = project
  if ((process.env['NODE_COMPILE_CACHE'] ?? config.env?.['NODE_COMPILE_CACHE']) !== undefined) return
  const path = join(vite.config.cacheDir, 'coldboot-compiled')
  config.env = { ...config.env, NODE_COMPILE_CACHE: path }
  project.provide('coldbootCompiled', path)
}
