import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isBundled } from './bundle.mjs'

const PACKAGES = fileURLToPath(new URL('../../packages', import.meta.url))

interface Exports {
  readonly [entry: string]: string | { readonly types: string; readonly default: string }
}

/** The same entries, from the files that the compiler writes. */
function compiled(exports: Exports): Exports {
  return JSON.parse(JSON.stringify(exports).replaceAll('"./bundle/', '"./dist/')) as Exports
}

const bundled = readdirSync(PACKAGES).filter((name) => isBundled(`${PACKAGES}/${name}`))

test.each(bundled)('%s publishes each of its entries as a bundle', (name) => {
  const { exports, publishConfig } = JSON.parse(readFileSync(`${PACKAGES}/${name}/package.json`, 'utf8')) as {
    readonly exports: Exports
    readonly publishConfig: { readonly exports: Exports }
  }
  expect(compiled(publishConfig.exports)).toEqual(exports)
})
