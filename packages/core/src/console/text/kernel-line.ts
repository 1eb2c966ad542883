/**
 * Recognition of kernel messages. Linux prefixes them with the seconds since its start (`[    3.083140] text`,
 * CONFIG_PRINTK_TIME), and prints them at the position of the cursor, even in the middle of a line.
 */

/**
 * The time stamp of a message, as printk writes it (`[%5lu.%06lu]`, kernel/printk/printk.c), with an optional level
 * before it and, with CONFIG_PRINTK_CALLER, the thread after it. A stamp after a quote was typed, not printed by the
 * kernel.
 */
export const KERNEL_STAMP: RegExp =
  /(?<!["'`])(?:<\d{1,2}>)?\[(?: {4}\d| {3}\d\d| {2}\d{3}| \d{4}|\d{5,})\.\d{6}\](?:\[ *[TC]\d+\])? /

/** A kernel message in a line. */
export interface KernelMessage {
  /** Its start in the line, including the time stamp. */
  readonly start: number
  readonly text: string
  /** Whether it has a time stamp. Without one, the line may or may not be from the kernel. */
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
