/** Recognizes the characters on a screen with `tesseract.js`, an optional peer dependency. */
import { dirname, join } from 'node:path'
import type { Worker } from 'tesseract.js'
import { ColdbootError, codeOf, ExpectError, messageOf } from '../../errors.ts'
import type { RgbPicture } from './ppm.ts'

/** Factor by which a picture is enlarged, because Tesseract expects letters as large as in a scan with 300 dpi. */
const scaleFor = (width: number): number => (width > 800 ? 2 : 3)

/** Workers by language. They are kept, because a start takes longer than a recognition. */
const workers = new Map<string, Promise<Worker>>()

/**
 * Recognizes text. Returns it without trailing blanks and without empty lines.
 *
 * @param language code of Tesseract, such as `eng`
 * @throws ExpectError `OCR_UNAVAILABLE` when the packages are not installed
 */
export async function recognizeText(picture: RgbPicture, language: string): Promise<string> {
  const known = workers.get(language) ?? startWorker(language)
  workers.set(language, known)
  known.catch(() => workers.delete(language))
  const { data } = await (await known).recognize(bitmapOf(picture))
  const lines = data.text.split('\n').map((line) => line.trimEnd())
  return lines.filter((line) => line !== '').join('\n')
}

async function startWorker(language: string): Promise<Worker> {
  const { createWorker, langPath } = await loadTesseract(language)
  const worker = await createWorker(language, undefined, { langPath, cacheMethod: 'none', gzip: true })
  // The worker must not keep the process running.
  const { worker: thread } = worker as Worker & { readonly worker?: { unref?(): void } }
  thread?.unref?.()
  return worker
}

async function loadTesseract(
  language: string,
): Promise<{ readonly createWorker: typeof import('tesseract.js')['createWorker']; readonly langPath: string }> {
  const data = `@tesseract.js-data/${language}`
  try {
    const { createRequire } = process.getBuiltinModule('node:module')
    // The user installs the packages, so they are searched in the project first.
    const places = [join(process.cwd(), 'package.json'), import.meta.url]
    const folder = dirname(firstOf(places, (place) => createRequire(place).resolve(`${data}/package.json`)))
    const { createWorker } = await import('tesseract.js')
    return { createWorker, langPath: join(folder, '4.0.0_best_int') }
  } catch (error) {
    if (ColdbootError.is(error) || !/MODULE_NOT_FOUND/.test(codeOf(error) ?? '')) throw error
    const message = `The recognition of characters needs the npm packages tesseract.js and ${data}: ${messageOf(error)}`
    throw new ExpectError('OCR_UNAVAILABLE', message, {
      cause: error,
      hint: `Install them: npm install --save-dev tesseract.js ${data}`,
    })
  }
}

function firstOf<T>(places: readonly string[], find: (place: string) => T): T {
  let last: unknown
  for (const place of places) {
    try {
      return find(place)
    } catch (error) {
      last = error
    }
  }
  throw last
}

/** Converts a picture to an enlarged BMP file in shades of gray, with dark letters on a light background. */
export function bitmapOf({ width, height, data }: RgbPicture): Buffer {
  const gray = new Uint8Array(width * height)
  let sum = 0
  for (let at = 0; at < gray.length; at++) {
    const [red = 0, green = 0, blue = 0] = [data[at * 3], data[at * 3 + 1], data[at * 3 + 2]]
    sum += gray[at] = Math.round(0.299 * red + 0.587 * green + 0.114 * blue)
  }
  const isDark = sum < gray.length * 128
  const scale = scaleFor(width)
  const [columns, rows] = [width * scale, height * scale]
  const stride = Math.ceil((columns * 3) / 4) * 4
  const bytes = Buffer.alloc(54 + stride * rows)
  bytes.write('BM')
  bytes.writeUInt32LE(bytes.length, 2)
  bytes.writeUInt32LE(54, 10) // start of the pixels
  bytes.writeUInt32LE(40, 14) // size of the header
  bytes.writeInt32LE(columns, 18)
  bytes.writeInt32LE(rows, 22)
  bytes.writeUInt16LE(1, 26) // planes
  bytes.writeUInt16LE(24, 28) // bits per pixel
  bytes.writeUInt32LE(stride * rows, 34)
  const row = Buffer.alloc(stride)
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = 0; x < width; x++) {
      const shade = gray[y * width + x] ?? 0
      for (const end = at + scale * 3; at < end; at++) row[at] = isDark ? 255 - shade : shade
    }
    // Rows are stored from the bottom to the top.
    for (let copy = 0; copy < scale; copy++) row.copy(bytes, 54 + (rows - 1 - y * scale - copy) * stride)
  }
  return bytes
}
