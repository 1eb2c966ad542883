/** Fuzz tests with data of a damaged or hostile guest. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cuts, damaged, fuzz, pieces } from '../../test/fuzz.ts'
import { encodeFrame, FrameReader, FrameTooLong, LONGEST_RECEIVED } from './agent/agent-frames.ts'
import type { TestReport } from './test-reports/guest-test.ts'
import { readReport } from './test-reports/read-report.ts'

const FRAMES = Buffer.concat([
  encodeFrame(130, 1, Buffer.from('output of a command')),
  encodeFrame(131, 1, Buffer.alloc(300, 'e')),
  encodeFrame(135, 2),
])

test('a reader of frames keeps no more than its limit, and returns only what it was given', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        damaged(FRAMES),
        fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      ),
      cuts,
      (bytes, places) => {
        const reader = new FrameReader()
        let returned = 0
        try {
          for (const piece of pieces(bytes, places)) {
            for (const { payload } of reader.push(piece)) returned += payload.length
          }
        } catch (error) {
          if (!(error instanceof FrameTooLong)) throw error
        }
        expect(returned).toBeLessThanOrEqual(bytes.length)
      },
    ),
    fuzz(1500),
  )
})

test('a frame above the limit is refused by its header', () => {
  const header = encodeFrame(130, 1)
  header.writeUInt32LE(LONGEST_RECEIVED + 1, 0)
  expect(() => new FrameReader().push(header)).toThrow(FrameTooLong)
  header.writeUInt32LE(LONGEST_RECEIVED, 0)
  expect(new FrameReader().push(header)).toEqual([])
})

const TAP = `TAP version 14
1..4
# Subtest: inner
    ok 1 - x # time=3ms
    not ok 2 - y
      ---
      message: boom
      at: { line: 3, list: [1, 2] }
      ...
    1..2
not ok 1 - inner
ok 2 - skipped # SKIP no disk
not ok 3 - later # TODO not written
ok 4 \\# escaped
Bail out! no more
`
const KTAP = `[    1.000000] KTAP version 1
[    1.000000] 1..2
[    1.000001]     KTAP version 1
[    1.000001]     # Subtest: suite
[    1.000001]     1..2
    ok 1 first
    # second: EXPECTATION FAILED
    not ok 2 second
# suite: pass:1 fail:1
not ok 1 suite
# ok 2 selftests: net: x.sh # SKIP
ok 2 other # exit=4
`
const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE testsuites [<!ENTITY a "b">]>
<testsuites><testsuite name="s" tests="2"><properties><property name="p" value="v"/></properties>
<testcase name="a" classname="c" time="0.5"/><testcase name="b"><failure message="m &amp; n"><![CDATA[t]]></failure>
<system-out>out</system-out></testcase><testcase name="d"><skipped/></testcase></testsuite></testsuites>
`
const tokens = fc.array(
  fc.constantFrom(
    ...[
      'ok',
      'not ok',
      ' 1',
      ' - ',
      '\n',
      '    ',
      '        ',
      '# Subtest: x\n',
      '1..0',
      '1..2 # SKIP y',
      '1..99999999',
      'TAP version 13\n',
    ],
    ...[
      'KTAP version 1\n',
      '---\n',
      '...\n',
      '[   1.0] ',
      '# SKIP',
      '# TODO',
      'Bail out!',
      '\\',
      '{\n',
      '}\n',
      '-1',
      '&a;',
      ': [',
    ],
    ...[
      '<testsuite>',
      '</testsuite>',
      '<testcase name="a">',
      '</testcase>',
      '<failure/>',
      "<a b='",
      '>',
      ']]>',
      '<![CDATA[',
    ],
  ),
  { maxLength: 40 },
)

test.each([
  ['tap', TAP],
  ['ktap', KTAP],
  ['junit', JUNIT],
] as const)(
  'a damaged %s report gives tests with a known status, or is refused with a reason',
  async (format, sample) => {
    const report = fc.oneof(
      damaged(Buffer.from(sample)),
      tokens.map((list) => Buffer.from(list.join(''))),
      fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
    )
    await fc.assert(
      fc.asyncProperty(report, async (bytes) => {
        const read = await readReport(format, bytes).catch((error: unknown) => error)
        const isReport = !(read instanceof Error)
        const { tests, problems } = isReport ? (read as TestReport) : { tests: [], problems: [] }
        // A bug would throw an error of another class.
        expect(isReport || (read.constructor === Error && read.message !== '')).toBe(true)
        expect(tests.length + problems.length).toBeLessThanOrEqual(bytes.length + 4)
        for (const { status } of tests) expect(['passed', 'failed', 'skipped', 'todo']).toContain(status)
      }),
      fuzz(400),
    )
  },
)

describe('a report with', () => {
  const COUNT = 130_000
  const lines = (line: (number: number) => string): string =>
    Array.from({ length: COUNT }, (_, index) => line(index + 1)).join('\n')

  test.each([
    ['tap', `TAP version 14\n${lines((number) => `    ok ${number}`)}\n    1..${COUNT}\nok 1 - all\n1..1\n`],
    [
      'ktap',
      `KTAP version 1\n1..1\n  KTAP version 1\n  1..${COUNT}\n${lines((number) => `  ok ${number} x`)}\nok 1 all\n`,
    ],
  ] as const)('130,000 tests in one group of %s is read', async (format, text) => {
    const { tests, problems } = await readReport(format, Buffer.from(text))
    expect([tests.length, problems]).toEqual([COUNT, []])
  })

  test('130,000 lines of output in JUnit is read', async () => {
    const text = `<testsuite><testcase name="a"><system-out>${lines(String)}</system-out></testcase></testsuite>`
    expect((await readReport('junit', Buffer.from(text))).tests).toHaveLength(1)
  })

  test('deeply nested groups is refused', async () => {
    const text = Array.from({ length: 200 }, (_, depth) => `${' '.repeat(4 * depth)}# Subtest: a`).join('\n')
    await expect(readReport('tap', Buffer.from(text))).rejects.toThrow('nested too deeply')
    const suites = '<testsuite>'.repeat(1001)
    await expect(readReport('junit', Buffer.from(suites))).rejects.toThrow('nested too deeply')
  })
})
