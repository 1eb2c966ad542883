import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { callTrace } from './call-trace.ts'

const CONSOLES = new URL('../../../test/consoles/', import.meta.url)

test('the call trace of a panic has its functions, without unreliable entries and functions that print the trace', () => {
  expect(callTrace(readFileSync(new URL('panic-and-reset.txt', CONSOLES), 'utf8'))?.split('\n')).toEqual([
    ...['panic+0x118/0x2f4', 'sysrq_handle_crash+0x16/0x20', '__handle_sysrq.cold+0x41/0x11c'],
    ...['write_sysrq_trigger+0x24/0x40', 'proc_reg_write+0x53/0xa0', 'vfs_write+0xc4/0x3f0', 'ksys_write+0x6b/0xf0'],
    ...['do_syscall_64+0x5d/0xb0', 'entry_SYSCALL_64_after_hwframe+0x6e/0xd8'],
  ])
})

test.each([
  [
    'an oops of x86 in a module, with the stack of an interrupt',
    '[    1.000000] RIP: 0010:crash_init+0x5/0x1000 [crash]\n[    1.000001] Code: 00\n[    1.000002] Call Trace:\n[    1.000003]  <IRQ>\n[    1.000004]  do_irq+0x1/0x2\n[    1.000005]  </IRQ>\n[    1.000006]  <TASK>\n[    1.000007]  ? crash_init+0x0/0x1000 [crash]\n[    1.000008]  do_one_initcall+0x44/0x220\n[    1.000009]  </TASK>\n[    1.000010] RIP: 0033:0x47b7a0\n[    1.000011]  other+0x1/0x2',
    'crash_init+0x5/0x1000\ndo_irq+0x1/0x2\ndo_one_initcall+0x44/0x220',
  ],
  [
    'arm64',
    'pc : crash+0x10/0x20\nlr : caller+0x18/0x20\nCall trace:\n dump_backtrace+0x0/0x1e0\n crash+0x10/0x20\n caller+0x18/0x20\nCode: d503233f',
    'crash+0x10/0x20\ncrash+0x10/0x20\ncaller+0x18/0x20',
  ],
  [
    'riscv64',
    'Call Trace:\n[<ffffffff80003d6a>] dump_backtrace+0x1c/0x24\n[<ffffffff80a1e8d4>] panic+0x10c/0x2e8',
    'panic+0x10c/0x2e8',
  ],
  [
    's390x',
    'Call Trace:\n [<0000000000c4e3d6>] crash+0x4e/0x60 \n([<0000000000c4e3c0>] crash+0x38/0x60)\n [<0000000000119f4e>] caller+0x2e/0x48',
    'crash+0x4e/0x60\ncaller+0x2e/0x48',
  ],
  [
    'ppc64',
    'Call Trace:\n[c000000005a6fb50] [c000000000e6b0d8] panic+0x16c/0x3f8 (unreliable)\n[c000000005a6fc00] [c00000000092a7d4] caller+0x24/0x30',
    'caller+0x24/0x30',
  ],
  [
    'arm',
    'Backtrace: \n unwind_backtrace from show_stack+0x18/0x1c\n show_stack from dump_stack_lvl+0x68/0x8c\n dump_stack_lvl from panic+0x128/0x364',
    'panic+0x128/0x364',
  ],
])('is that of %s', (_arch, excerpt, expected) => {
  expect(callTrace(excerpt)).toBe(expected)
})

test('a call trace has a limited length, and is undefined without functions', () => {
  const long = `Call Trace:\n${Array.from({ length: 40 }, (_, index) => ` f${index}+0x1/0x2\n`).join('')}`
  expect(callTrace(long)?.split('\n').at(-1)).toBe('… (24 more)')
  expect(callTrace('Out of memory: Killed process 1 (x)')).toBeUndefined()
  expect(callTrace('Call Trace:\n [<c0100000>] 0xc0100000')).toBeUndefined()
})
