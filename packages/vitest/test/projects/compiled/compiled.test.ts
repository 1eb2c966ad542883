import { getCompileCacheDir } from 'node:module'
import { test } from '@coldboot/vitest'

test('prints the compile cache of the worker, and the variable that a child process would inherit', () => {
  console.log(`cache: ${getCompileCacheDir()}, variable: ${process.env['NODE_COMPILE_CACHE']}`)
})
