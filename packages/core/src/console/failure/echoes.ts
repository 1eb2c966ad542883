/** Removes the echo of typed lines from console output. */
import type { Searched } from './near-miss.ts'

/** Returns the searched output without echoes. For each typed line, at most one echoed line is removed. */
export function withoutEchoes(searched: Searched, typed: readonly string[]): Searched {
  if (typed.length === 0) return searched
  const { clean, raw, userspace } = searched
  return {
    ...searched,
    clean: withoutLines(clean, typed),
    raw: withoutLines(raw, typed),
    userspace: withoutLines(userspace, typed),
  }
}

function withoutLines(text: string, typed: readonly string[]): string {
  const lines = text.split('\n')
  let from = 0
  for (const line of typed) {
    const at = lines.findIndex((shown, index) => index >= from && isEcho(shown, line))
    if (at < 0) continue
    lines[at] = ''
    from = at + 1
  }
  return lines.join('\n')
}

/** Whether a line is the typed text, alone or after a prompt. */
function isEcho(shown: string, typed: string): boolean {
  const line = shown.trimEnd()
  const text = typed.trimEnd()
  return line === text || (line.endsWith(text) && /[#$%>:] ?$/.test(line.slice(0, -text.length)))
}
