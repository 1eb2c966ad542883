/** Replaces control characters except newlines, because names in images could contain escape sequences for the terminal. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}
