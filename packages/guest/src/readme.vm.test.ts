import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

test("the README's example runs", async () => {
  const [readme, example] = await Promise.all([
    readFile(new URL('../README.md', import.meta.url), 'utf8'),
    readFile(new URL('../test/readme-example.ts', import.meta.url), 'utf8'),
  ])
  expect(readme).toContain(example)
  await expect(import('../test/readme-example.ts')).resolves.toBeDefined()
})
