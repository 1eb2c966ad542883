/**
 * Recognition of kernel messages. Linux prefixes them with the seconds since its start (`[    3.083140] text`,
 * CONFIG_PRINTK_TIME), and prints them at the position of the cursor, even in the middle of a line.
 */

/**
 * The time stamp of a message in the format of printk (`[%5lu.%06lu]`, kernel/printk/printk.c), with an optional level
 * before it and, with CONFIG_PRINTK_CALLER, the thread after it. A stamp after a quote is echoed input, not a message.
 */
export const KERNEL_STAMP: RegExp =
  /(?<!["'`])(?:<\d{1,2}>)?\[(?: {4}\d| {3}\d\d| {2}\d{3}| \d{4}|\d{5,})\.\d{6}\](?:\[ *[TC]\d+\])? /

/** A kernel message in a line. */
export interface KernelMessage {
  /** Start of the message in the line, including the time stamp. */
  readonly start: number
  readonly text: string
  /** Whether the message has a time stamp. If not, the line may be from the kernel or from a program. */
  readonly stamped: boolean
}

/** Splits off the time stamp of a line. @param line line without its line end */
export function kernelMessage(line: string): KernelMessage {
  const stamp = KERNEL_STAMP.exec(line)
  if (stamp !== null) {
    return { start: stamp.index, text: line.slice(stamp.index + stamp[0].length), stamped: true }
  }
  return { start: 0, text: line.replace(/^<\d{1,2}>/, ''), stamped: false }
}
