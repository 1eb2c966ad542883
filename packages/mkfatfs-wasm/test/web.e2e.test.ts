/** Tests of the web entry in a real browser, bundled by Vite and without a bundler. */
import { once } from 'node:events'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, extname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect } from 'vitest'
import { launchBrowser, noBrowser } from '../../report/test/browser.ts'
import { mkfatfs } from '../src/host/mkfatfs.ts'
import { readFatImage } from '../src/index.ts'
import { type Scratch, test } from './scratch.ts'
import { fsck, mcopyOut } from './tools.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const example = join(root, 'examples', 'web')
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.js': 'text/javascript' }

/** Serves files from the first of `folders` that contains them. */
async function serve(folders: readonly string[]) {
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname)
    const name = path === '/' ? '/index.html' : path
    for (const folder of folders) {
      const contents = await readFile(join(folder, name)).catch(() => undefined)
      if (contents === undefined) continue
      response.setHeader('content-type', TYPES[extname(name)] ?? 'application/octet-stream')
      response.end(contents)
      return
    }
    response.statusCode = 404
    response.end()
  }
  const server = createServer((request, response) => void answer(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/`, [Symbol.dispose]: () => void server.close() }
}

let browser: Awaited<ReturnType<typeof launchBrowser>> | undefined
beforeAll(async () => {
  if (noBrowser === undefined) browser = await launchBrowser()
})
afterAll(() => browser?.close())

/** Drops files of the host on the page, and returns the image that the page offers. */
async function dropAndDownload(url: string, paths: readonly string[], target: string): Promise<string> {
  const page = await browser?.newPage()
  if (page === undefined) throw new Error(noBrowser)
  try {
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(String(error)))
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(url, { waitUntil: 'networkidle' })
    const box = await page.locator('#drop').boundingBox()
    if (box === null) throw new Error('the page has no drop area')
    const session = await page.context().newCDPSession(page)
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2]
    const data = { items: [], files: [...paths], dragOperationsMask: 1 }
    const download = page.waitForEvent('download')
    for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
      await session.send('Input.dispatchDragEvent', { type, x, y, data })
    }
    await (await download).saveAs(target)
    expect(complaints.filter((text) => !text.includes('favicon') && !text.includes('404'))).toEqual([])
    return (await page.locator('#status').textContent()) ?? ''
  } finally {
    await page.close()
  }
}

const files = { 'sub/deep/Long file name.text': 'below', 'sub/empty/': '', 'one.txt': 'one', zero: '' }

async function expectImage(scratch: Scratch, url: string): Promise<void> {
  const source = scratch.tree('source', files)
  const image = scratch.at('disk.img')
  const paths = (await readdir(source)).map((name) => join(source, name))
  expect(await dropAndDownload(url, paths, image)).toMatch(/^fat12, \d+ bytes, 3 files$/)
  await fsck(image)
  const out = scratch.tree('out', {})
  await mcopyOut(image, out)
  expect(readFileSync(join(out, 'sub', 'deep', 'Long file name.text'), 'utf8')).toBe('below')
  await using read = await readFatImage(image)
  expect(read.label).toBe('DROPPED')
  expect((await read.list()).map(({ path }) => path)).toEqual([
    'one.txt',
    'sub',
    'sub/deep',
    'sub/deep/Long file name.text',
    'sub/empty',
    'zero',
  ])

  // Dropped files keep their modification times, so that Node makes the same image from them.
  const flat = scratch.tree('flat', { 'a.bin': Buffer.alloc(300_000, 'a'), 'b.txt': 'b' })
  const names = ['a.bin', 'b.txt'].map((name) => join(flat, name))
  await dropAndDownload(url, names, image)
  const node = await mkfatfs({
    files: names.map((path) => ({
      path: basename(path),
      contents: readFileSync(path),
      modified: statSync(path).mtimeMs,
    })),
    label: 'DROPPED',
  })
  expect(readFileSync(image).equals(await node.toBytes())).toBe(true)
}

test.skipIf(noBrowser !== undefined)(
  `makes an image of dropped files in a page that Vite bundled ${noBrowser === undefined ? '' : `(${noBrowser})`}`,
  async ({ scratch }) => {
    const outDir = scratch.at('bundle')
    await build({ root: example, base: './', logLevel: 'error', build: { outDir } })
    const scripts = (await readdir(join(outDir, 'assets'))).map((name) => readFileSync(join(outDir, 'assets', name)))
    // The script contains the WebAssembly, so that no other file is loaded.
    expect(scripts).toHaveLength(1)
    const packed = gzipSync(Buffer.concat(scripts)).length
    expect(packed).toBeGreaterThan(10_000)
    expect(packed).toBeLessThan(200_000)
    using server = await serve([outDir])
    await expectImage(scratch, server.url)
  },
)

test.skipIf(noBrowser !== undefined)(
  `makes an image of dropped files in a page without a bundler ${noBrowser === undefined ? '' : `(${noBrowser})`}`,
  async ({ scratch }) => {
    const page = readFileSync(join(example, 'index.html'), 'utf8')
    const map = JSON.stringify({ imports: { 'mkfatfs-wasm/web': '/dist/web.js' } })
    const own = scratch.tree('page', {})
    writeFileSync(join(own, 'index.html'), page.replace('<script', `<script type="importmap">${map}</script>\n<script`))
    using server = await serve([own, example, root])
    await expectImage(scratch, server.url)
  },
)
