import { runInNewContext, Script } from 'node:vm'
import { expect, test } from 'vitest'
import { joinedModules, pageAssets } from './page-assets.ts'

const modules: Readonly<Record<string, string>> = {
  page: `/** Page. */\nimport { one } from './one.js';\nimport {\n    two, } from './two.js';\none(two);\nexport {};\n`,
  one: `import { two } from './two.js';\nexport function one(value) { log.push(value, two); }\nexport class One {\n}\n`,
  two: 'export const two = 2;\n//# sourceMappingURL=two.js.map\n',
  other: `export default 1;\n`,
}

test('joins modules after those that they import', () => {
  const script = joinedModules('page', (name) => modules[name] ?? '')
  const log: unknown[] = []
  runInNewContext(script, { log })
  expect(log).toEqual([2, 2])
  expect(script).not.toMatch(/import|export|sourceMappingURL/)
})

test('refuses imports and exports of an unknown form', () => {
  expect(() => joinedModules('other', (name) => modules[name] ?? '')).toThrow('another form')
})

test('the script of the page is one module that declares each name once', () => {
  const { script } = pageAssets()
  expect(() => new Script(script)).not.toThrow()
  expect(script).toContain('class Workbench')
})
