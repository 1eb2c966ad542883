import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { callTrace } from '../failure/call-trace.ts'
import { nameAddresses } from './kernel-symbols.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const map = join(folder, 'System.map')
writeFileSync(
  map,
  [
    '0000000000000000 A fixed_percpu_data',
    'ffffffff81000000 T _text',
    'ffffffff8104d2a0 T panic',
    'ffffffff8104d5c0 t do_exit',
    'ffffffff81200000 t sysrq_handle_crash',
    'ffffffff81200020 t __handle_sysrq',
    'ffffffff81200150 T last',
    'ffffffff82000000 D some_data',
    '',
  ].join('\n'),
)

// Output of a kernel without CONFIG_KALLSYMS (lib/vsprintf.c, `symbol_string`).
const TRACE = `[    3.100000] Kernel panic - not syncing: sysrq triggered crash
[    3.100001] RIP: 0010:0xffffffff81200000
[    3.100002] Call Trace:
[    3.100003]  <TASK>
[    3.100004]  0xffffffff8104d3b0
[    3.100005]  ? 0xffffffff8104d5c4
[    3.100006]  0xffffffff81200020
[    3.100007]  0xffffffff812000a5
[    3.100008]  </TASK>
[    3.100009] CR2: 0x00007f0012345678`

test('names the functions of a call trace that has only addresses', () => {
  const named = nameAddresses(TRACE, map)
  expect(callTrace(TRACE)).toBeUndefined()
  // A return address may be after the end of the calling function.
  expect(callTrace(named)?.split('\n')).toEqual([
    'sysrq_handle_crash+0x0/0x20',
    'panic+0x110/0x320',
    'sysrq_handle_crash+0x20/0x20',
    '__handle_sysrq+0x85/0x130',
  ])
  expect(named).toContain('CR2: 0x00007f0012345678')
})

test('names the functions of a relocated kernel', () => {
  const moved = `Call Trace:\n 0xffffffff9a04d3b0\nKernel Offset: 0x19000000 from 0xffffffff81000000 (relocation range: …)`
  expect(callTrace(nameAddresses(moved, map))).toBe('panic+0x110/0x320')
  expect(nameAddresses('Call Trace:\n 0xffffffff9a04d3b0', map)).toBe('Call Trace:\n 0xffffffff9a04d3b0')
})

test('does not change a trace with names, or one without a System.map', () => {
  const named = 'Call Trace:\n panic+0x110/0x320\n [<ffffffff8104d3b0>] panic+0x110/0x320'
  expect(nameAddresses(named, map)).toBe(named)
  expect(nameAddresses(TRACE, join(folder, 'missing'))).toBe(TRACE)
})
