/** Sizes as text: parses `64M`, and formats bytes for messages. Units are powers of 1024. */

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }

/** `'64M'`, `'1.5 GiB'`, `'4096'` → bytes; undefined for other text. */
export function parseByteSize(text: string): number | undefined {
  const [, digits, unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*$/i.exec(text) ?? []
  const factor = UNITS[unit.toUpperCase()]
  if (digits === undefined || factor === undefined) return undefined
  const bytes = Number(digits) * factor
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** Formats a whole number with commas: `'1,572,864'`. Without `Intl`, whose first use takes longer than making a small image. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/g, ',')
}

/** Bytes → `'1.5 MiB (1,572,864 bytes)'`; under 1 KiB only the bytes. */
export function formatByteSize(bytes: number): string {
  const exact = `${formatCount(bytes)} bytes`
  if (bytes < 1024) return exact
  const exponent = Math.min(4, Math.floor(Math.log2(bytes) / 10))
  return `${Number((bytes / 2 ** (10 * exponent)).toFixed(1))} ${' KMGT'[exponent]}iB (${exact})`
}
