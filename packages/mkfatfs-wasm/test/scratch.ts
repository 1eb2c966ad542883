/** Vitest's `test` with the fixture `scratch`, an empty directory that is removed after the test. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test as base, type TestAPI } from 'vitest'

/** Path in the directory → contents; a path that ends with a slash is an empty directory. */
export type Files = Readonly<Record<string, string | Uint8Array>>

/** An empty directory of a test. */
export interface Scratch {
  /** Path of the directory, with links resolved. */
  readonly path: string
  /** Returns a path in the directory. */
  at(...names: string[]): string
  /** Creates a directory with files. Returns its path. */
  tree(name: string, files: Files): string
}

/** Creates a directory without the fixture. Property tests need one per run. */
export function makeScratch(): Scratch & Disposable {
  const path = realpathSync(mkdtempSync(join(tmpdir(), 'mkfatfs-test-')))
  return {
    path,
    at: (...names) => join(path, ...names),
    tree(name, files) {
      const root = join(path, name)
      mkdirSync(root, { recursive: true })
      for (const [file, contents] of Object.entries(files)) {
        if (file.endsWith('/')) {
          mkdirSync(join(root, file), { recursive: true })
          continue
        }
        mkdirSync(dirname(join(root, file)), { recursive: true })
        writeFileSync(join(root, file), contents)
      }
      return root
    },
    [Symbol.dispose]: () => rmSync(path, { recursive: true }),
  }
}

export const test: TestAPI<{ scratch: Scratch }> = base.extend<{ scratch: Scratch }>({
  scratch: async ({ onTestFinished }, use) => {
    const scratch = makeScratch()
    onTestFinished(() => scratch[Symbol.dispose]())
    await use(scratch)
  },
})
