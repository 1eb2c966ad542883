import { describe, expect, test } from 'vitest'
import type { GuestTest } from '../../events/machine-event.ts'
import type { TestReport } from './guest-test.ts'
import { readJunit } from './junit.ts'
import { readKtap } from './ktap.ts'
import { readTap } from './tap.ts'

const short = ({ tests }: TestReport): string[] => tests.map(({ path, status }) => `${status}: ${path.join(' > ')}`)
const named = ({ tests }: TestReport, name: string): GuestTest | undefined => tests.find((one) => one.name === name)

describe('TAP', () => {
  const report = `TAP version 14
# a comment
building
1..6
# Subtest: inner
    ok 1 - x # time=3ms
    not ok 2 - y
      ---
      message: boom
      at: { line: 3 }
      ...
    # a remark on y
    1..2
not ok 1 - inner
ok 2 - skipped # SKIP no disk
not ok 3 - later # TODO not written
not ok 4
# got 3
# expected 4
ok 5 - plain
ok 6 - last
`

  test('returns every case with its suites, but not the suites themselves', async () => {
    const read = await readTap(report)
    expect(short(read)).toEqual([
      'passed: inner > x',
      'failed: inner > y',
      'skipped: skipped',
      'todo: later',
      'failed: test 4',
      'passed: plain',
      'passed: last',
    ])
    expect(read.problems).toEqual([])
    expect(named(read, 'x')).toMatchObject({ duration: 3 })
    expect(named(read, 'skipped')).toMatchObject({ message: 'no disk' })
    expect(named(read, 'later')).toMatchObject({ message: 'not written' })
  })

  test('returns the log of a failed case, which follows it', async () => {
    const read = await readTap(report)
    expect(named(read, 'y')).toMatchObject({ message: 'boom', log: expect.stringContaining('# a remark on y') })
    expect(named(read, 'y')?.log).toContain('at: {"line":3}')
    expect(named(read, 'test 4')?.log).toBe('# got 3\n# expected 4')
    expect(named(read, 'last')).not.toHaveProperty('log')
  })

  test('TAP that stops early, bails out, or has no plan, says so', async () => {
    expect((await readTap('1..3\nok 1\nok 2\n')).problems).toEqual(['2 tests ran, and 3 were planned'])
    expect((await readTap('1..2\nok 1\nBail out! no disk\n')).problems).toContain('Bail out! no disk')
    expect((await readTap('ok 1\n')).problems).toEqual([expect.stringContaining('no plan')])
  })

  test('TAP of a guest that died in a subtest keeps the results so far', async () => {
    expect(short(await readTap('1..2\n# Subtest: net\n    ok 1 - up\n'))).toEqual(['passed: unfinished subtest > up'])
  })

  test('TAP of other text has no tests', async () => {
    expect((await readTap('make: *** No rule to make target')).tests).toEqual([])
  })
})

describe('KTAP', () => {
  test('omits log lines before the report', () => {
    const line = (text: string): string => `[    1.500000] ${text}\n`
    const boot = line('Freeing unused kernel image memory')
    const report = (got: number): string => [`KTAP version 1`, `1..1`, `# got ${got}`, `not ok 1 a`].map(line).join('')
    const { tests } = readKtap(boot + report(1) + boot + report(2))
    expect(tests.map(({ log }) => log)).toEqual(['# got 1', '# got 2'])
  })

  // The example of Documentation/dev-tools/ktap.rst, in a kernel log.
  const lines = `KTAP version 1
1..3
  KTAP version 1
  1..1
    KTAP version 1
    1..2
    # test_1: initializing test_1
    ok 1 test_1
    ok 2 test_2 # SKIP no hardware
  ok 1 example_test_1
  # example_test_1 passed
ok 1 main_test
  # Subtest: net
  1..3
    # connect: EXPECTATION FAILED at net.c:7
    # connect: expected 1, got 0
  not ok 1 connect
  ok 2 - bind
  not ok 3 known # XFAIL issue 7
not ok 2 net
not ok 3 slow # TIMEOUT 45 seconds
`
  const stamped = lines.replace(/^(?=.)/gm, '[   12.345678] ')

  test.each([
    ['as it is', lines],
    ["in the kernel's log", stamped],
  ])('%s gives every case with its suites', (_how, text) => {
    const read = readKtap(text)
    expect(short(read)).toEqual([
      'passed: main_test > example_test_1 > test_1',
      'skipped: main_test > example_test_1 > test_2',
      'failed: net > connect',
      'passed: net > bind',
      'todo: net > known',
      'failed: slow',
    ])
    expect(read.problems).toEqual([])
    expect(named(read, 'test_2')?.message).toBe('no hardware')
    expect(named(read, 'slow')?.message).toBe('45 seconds')
  })

  test('returns the log of a failed case, which precedes it', () => {
    const log = named(readKtap(stamped), 'connect')?.log
    expect(log).toContain('EXPECTATION FAILED at net.c:7')
    expect(log).toContain('expected 1, got 0')
    expect(log).not.toContain('example_test_1 passed')
  })

  test('KTAP of a suite that failed as a whole has the suite as a case', () => {
    expect(short(readKtap('1..1\n  1..1\n  ok 1 a\nnot ok 1 suite\n'))).toEqual(['passed: suite > a', 'failed: suite'])
  })

  test('KTAP that stops early or bails out says so, and keeps the results so far', () => {
    const read = readKtap('1..2\n  1..3\n  ok 1 a\n  not ok 2 b\n')
    expect(short(read)).toEqual(['passed: a', 'failed: b'])
    expect(read.problems).toEqual([
      'The report ends within a group of tests',
      '2 tests of the group ran, and 3 were planned',
      '0 tests ran, and 2 were planned',
    ])
    expect(readKtap('Bail out! broken\n').problems).toEqual(['Bail out! broken'])
  })
})

describe('JUnit', () => {
  const report = `<?xml version="1.0"?>
<testsuites>
  <testsuite name="outer">
    <testsuite name="pkg.Class">
      <testcase name="adds" classname="pkg.Class" time="0.25"/>
      <testcase name="divides" classname="pkg.Class">
        <failure message="expected 1 &lt; 2" type="AssertionError"><![CDATA[at Class.java:7
at Main.java:1]]></failure>
        <system-out>dividing</system-out>
      </testcase>
    </testsuite>
    <testcase name="crashes" classname="pkg.Other"><error>segfault
at 0</error></testcase>
    <testcase name="later"><skipped message="no disk"/></testcase>
  </testsuite>
</testsuites>`

  test('returns every case with its suites, times and logs', async () => {
    const read = await readJunit(report)
    expect(short(read)).toEqual([
      'passed: outer > pkg.Class > adds',
      'failed: outer > pkg.Class > divides',
      'failed: outer > pkg.Other > crashes',
      'skipped: outer > later',
    ])
    expect(named(read, 'adds')).toMatchObject({ duration: 250 })
    expect(named(read, 'divides')).toMatchObject({
      message: 'expected 1 < 2',
      log: 'at Class.java:7\nat Main.java:1\ndividing',
    })
    expect(named(read, 'crashes')).toMatchObject({ message: 'segfault', log: 'segfault\nat 0' })
    expect(named(read, 'later')).toMatchObject({ message: 'no disk' })
  })

  test('JUnit that is not well-formed is refused', async () => {
    await expect(readJunit('<testsuite><testcase')).rejects.toThrow(/unclosed/)
    await expect(readJunit('Segmentation fault')).rejects.toThrow(/text data outside/)
  })
})
