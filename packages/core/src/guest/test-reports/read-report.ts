/** Reads a test report in any of the formats. */
import { plainReport, type TestFormat, type TestReport } from './guest-test.ts'
import { readKtap } from './ktap.ts'

/** A line nested in more than 100 groups. The TAP reader would take minutes for it. */
const TOO_DEEP = /^[ \t]{400,}(?:# Subtest|(?:not )?ok\b|1\.\.\d)/m

/** @throws Error if the text is not a report in this format */
export async function readReport(format: TestFormat, bytes: Uint8Array): Promise<TestReport> {
  if (format === 'junit') return (await import('./junit.ts')).readJunit(decodeXml(bytes))
  const text = plainReport(new TextDecoder().decode(bytes))
  if (format === 'ktap') return readKtap(text)
  if (TOO_DEEP.test(text)) throw new Error('its tests are nested too deeply')
  return (await import('./tap.ts')).readTap(text)
}

/** Decodes XML by its byte order mark or its declaration. */
function decodeXml(bytes: Uint8Array): string {
  const [first = 0, second = 0] = bytes
  const mark =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined
  if (mark !== undefined) return new TextDecoder(mark).decode(bytes)
  const start = new TextDecoder('latin1').decode(bytes.subarray(0, 1000))
  const encoding = /<\?xml\s[^>]*?\sencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1] ?? 'utf-8'
  try {
    return new TextDecoder(encoding).decode(bytes)
  } catch (cause) {
    throw new Error(`its encoding ${encoding} is unknown`, { cause })
  }
}
