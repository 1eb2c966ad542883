/** Text without control characters, because names in images could steer a terminal. Line ends stay. */
export function printable(text: string): string {
  return text.replace(/[^\P{Cc}\n]/gu, '\ufffd')
}
