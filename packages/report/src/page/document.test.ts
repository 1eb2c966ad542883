import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { documentOf } from './document.ts'

const parts = { title: 'x', body: '<p>x</p>', styles: ['p{}'], scripts: ['a()'], module: 'b()', data: new Map() }

test('the policy allows the scripts and styles of the document, and nothing else', () => {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  const [, policy] = /Content-Security-Policy" content="([^"]*)"/.exec(documentOf(parts)) ?? []
  expect(policy?.split('; ')).toEqual([
    "default-src 'none'",
    `script-src ${hash('a()')} ${hash('b()')} 'wasm-unsafe-eval'`,
    `style-src ${hash('p{}')}`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ])
})

test('data, scripts and styles cannot close their element', () => {
  const html = documentOf({
    ...parts,
    module: 'x="</script>"; y="<!--"',
    styles: ['p{content:"</style>"}'],
    data: new Map([['d', '</script><script>evil()</script>']]),
  })
  expect(html.match(/<\/script/g)).toHaveLength(3)
  expect(html.match(/<\/style/g)).toHaveLength(1)
  expect(html).not.toContain('<!--')
  const [, json = ''] = /id="d">(.*?)<\/script>/.exec(html) ?? []
  expect(JSON.parse(json)).toBe('</script><script>evil()</script>')
})
