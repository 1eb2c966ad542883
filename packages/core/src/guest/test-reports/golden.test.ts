/**
 * Tests the tables in golden/: reports from specifications and real writers, each with the expected result. A block
 * starts with `=== ` and its title. `>>>` separates the report from the result.
 */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { TestFormat, TestReport } from './guest-test.ts'
import { readReport } from './read-report.ts'

interface Block {
  readonly title: string
  readonly report: string
  readonly expected: string
}

function blocksOf(format: TestFormat): Block[] {
  const text = readFileSync(new URL(`golden/${format}.txt`, import.meta.url), 'utf8')
  const blocks = text.split(/^=== /m).slice(1)
  return blocks.map((block) => {
    const [, title = '', report = '', expected = ''] = /^(.*)\n([\s\S]*?)^>>>\n([\s\S]*)$/m.exec(block) ?? []
    return { title, report, expected: expected.trimEnd() }
  })
}

function shown({ tests, problems }: TestReport): string {
  const lines = tests.map(({ path, status, message }) => {
    return `${status}: ${path.join(' > ')}${message === undefined ? '' : ` (${message})`}`
  })
  return [...lines, ...problems.map((problem) => `problem: ${problem}`)].join('\n')
}

describe.each(['ktap', 'tap', 'junit'] as const)('%s', (format) => {
  test.each(blocksOf(format))('reads $title', async ({ report, expected }) => {
    expect(shown(await readReport(format, Buffer.from(report)))).toBe(expected)
  })
})

describe('bytes of a report', () => {
  const read = async (format: TestFormat, bytes: Uint8Array): Promise<string> => shown(await readReport(format, bytes))

  test.each(['ktap', 'tap'] as const)('colours and control characters hide no result of %s', async (format) => {
    const text = '1..2\n\x1b[32mok 1 a\x1b[0m\r\n\0\x1b[31mnot ok 2 b\x1b[0m\r\n'
    expect(await read(format, Buffer.from(text))).toBe('passed: a\nfailed: b')
  })

  test('control characters do not make a JUnit report unreadable', async () => {
    const xml =
      '<testsuite name="s"><testcase name="a\0"><failure message="&#27;[31mred&#x1b;[0m">\x1b[1mbold\x1b[0m\x07</failure></testcase></testsuite>'
    const { tests } = await readReport('junit', Buffer.from(xml))
    expect(tests).toEqual([{ name: 'a', path: ['s', 'a'], status: 'failed', message: 'red', log: 'bold' }])
  })

  const xml = (encoding: string): string =>
    `<?xml version="1.0" encoding="${encoding}"?><testsuite name="s"><testcase name="größer"/></testsuite>`

  test.each([
    ['ISO-8859-1', Buffer.from(xml('ISO-8859-1'), 'latin1')],
    ['UTF-8', Buffer.from(xml('UTF-8'))],
    ['UTF-16', Buffer.from(`\ufeff${xml('UTF-16')}`, 'utf16le')],
  ])('JUnit in %s is read', async (_encoding, bytes) => {
    expect(await read('junit', bytes)).toBe('passed: s > größer')
  })

  test('JUnit in an unknown encoding is refused by its name', async () => {
    await expect(read('junit', Buffer.from(xml('x-klingon')))).rejects.toThrow('its encoding x-klingon is unknown')
  })
})
