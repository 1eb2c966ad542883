/**
 * Tells what the kernel printed from what everything else did: Linux stamps its messages with the seconds since its start
 * (`[    3.083140] text`, CONFIG_PRINTK_TIME), and prints them wherever the cursor is, also in the middle of a line.
 */

/**
 * The stamp of a message, as printk writes it (`[%5lu.%06lu]`, kernel/printk/printk.c), with the level before it where
 * one is shown and the thread behind it with CONFIG_PRINTK_CALLER. A quote before it means that somebody typed it.
 */
export const KERNEL_STAMP: RegExp =
  /(?<!["'`])(?:<\d{1,2}>)?\[(?: {4}\d| {3}\d\d| {2}\d{3}| \d{4}|\d{5,})\.\d{6}\](?:\[ *[TC]\d+\])? /

/** What the kernel printed in a line. */
export interface KernelMessage {
  /** Where in the line it begins, its stamp included. */
  readonly start: number
  readonly text: string
  /** Without a stamp it only may be the kernel's: a kernel can be built not to print them. */
  readonly stamped: boolean
}

/** @param line without its line end */
export function kernelMessage(line: string): KernelMessage {
  const stamp = KERNEL_STAMP.exec(line)
  if (stamp !== null) {
    return { start: stamp.index, text: line.slice(stamp.index + stamp[0].length), stamped: true }
  }
  return { start: 0, text: line.replace(/^<\d{1,2}>/, ''), stamped: false }
}
