/** Extracts the functions from the call trace of a kernel, without addresses, registers and unreliable entries. */
import { kernelMessage } from '../text/kernel-line.ts'

/** Most functions. The excerpt of the failure contains all of them. */
const MOST_FRAMES = 16

/** A line with the instruction pointer at the error, on each architecture. */
const POINTER =
  /^(?:RIP: 00[01]0:|EIP: (?:00[0-9a-f]{2}:)?|pc : |epc : |PC is at |NIP \[[0-9a-f]+\] |Krnl PSW : .*\()(\S+?\+0x[0-9a-f]+\/0x[0-9a-f]+)/
const START = /^(?:Call [Tt]race|Backtrace):/
/** Addresses before a function, on riscv, s390 and ppc64. */
const ADDRESSES = /^(?:\[?<?\[?[0-9a-f]{8,16}\]?>?\]? *)*/
const FRAME = /^\(?([\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[^\]]+\])?)\)?$/
/** A frame of arm: the callee, then the caller. */
const ARM_FRAME = /^\S+ from ([\w.$]+\+0x[0-9a-f]+\/0x[0-9a-f]+(?: \[[^\]]+\])?)$/
/** An unreliable entry, which may be left from an earlier call. On s390, the whole line is in parentheses. */
const GUESS = /^\? |\(unreliable\)$|^\(\[/
/** Mark of a separate stack, such as that of interrupts. */
const STACK = /^<\/?[A-Z#]+>$/
/** Functions that print the trace. */
const PRINTERS = /^(?:__?)?(?:dump_stack|show_stack|dump_backtrace|unwind_backtrace|show_regs)\w*\+/

/**
 * Functions of the first call trace, the innermost first, such as `sysrq_handle_crash+0x16/0x20`. Undefined if no call
 * trace has names of functions.
 */
export function callTrace(excerpt: string): string | undefined {
  const lines = excerpt.split('\n').map((line) => kernelMessage(line).text.trim())
  const start = lines.findIndex((line) => START.test(line))
  const pointer = lines.map((line) => POINTER.exec(line)?.[1]).find((name) => name !== undefined)
  const frames = [...(pointer === undefined ? [] : [pointer]), ...(start < 0 ? [] : framesOf(lines.slice(start + 1)))]
  if (frames.length === 0) return undefined
  const more = frames.length - MOST_FRAMES
  return [...frames.slice(0, MOST_FRAMES), ...(more > 0 ? [`… (${more} more)`] : [])].join('\n')
}

function framesOf(lines: readonly string[]): readonly string[] {
  const frames: string[] = []
  for (const line of lines) {
    if (GUESS.test(line)) continue
    const text = line.replace(ADDRESSES, '')
    const frame = (FRAME.exec(text) ?? ARM_FRAME.exec(text))?.[1]
    if (frame === undefined && !GUESS.test(text) && !STACK.test(text)) break
    if (frame !== undefined && !PRINTERS.test(frame)) frames.push(frame)
  }
  return frames
}
