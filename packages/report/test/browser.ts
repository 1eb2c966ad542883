/** Starts the installed headless browser for the tests of the page. Never downloads one. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'

const COMMANDS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

const FOLDERS = (process.env['PATH'] ?? '').split(delimiter)
const BROWSER = [...COMMANDS.flatMap((name) => FOLDERS.map((folder) => join(folder, name))), MAC].find(existsSync)

/** Reason why no browser is available; undefined if there is one. */
export const noBrowser: string | undefined =
  BROWSER === undefined ? `none of ${COMMANDS.join(', ')} is on PATH` : undefined

export function launchBrowser(): Promise<Browser> {
  // Chromium refuses to run as root with its sandbox. The tests only open local pages.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : []
  return chromium.launch({ ...(BROWSER === undefined ? {} : { executablePath: BROWSER }), args })
}

/** A page opened from the disk, with its requests and console errors. */
export interface OpenedPage {
  readonly page: Page
  /** Requested URLs, except `data:` URLs. */
  readonly requests: readonly string[]
  readonly complaints: readonly string[]
}

/** Opens a page in offline mode. */
async function newPage(browser: Browser, options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext({ offline: true, ...options })
  return context.newPage()
}

/** Opens a file in an existing page, with fresh state. */
async function openFile(page: Page, path: string): Promise<OpenedPage> {
  const requests: string[] = []
  const complaints: string[] = []
  for (const event of ['request', 'console', 'pageerror'] as const) page.removeAllListeners(event)
  await page.goto('about:blank')
  page.on('request', (request: Request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url())
  })
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`file://${path}`)
  return { page, requests, complaints }
}

/** Opens a file in a new page. */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  return openFile(await newPage(browser, options), path)
}

/** Options that can be changed for an open page. */
export interface ReopenOptions {
  readonly viewport?: { readonly width: number; readonly height: number }
  readonly colorScheme?: 'dark' | 'light'
  readonly javaScriptEnabled?: boolean
  readonly bypassCSP?: boolean
}

/** Pages that are reused for several files, because each new page starts a process. */
export class ReopenedPages {
  readonly #browser: Browser
  readonly #pages = new Map<string, Promise<Page>>()

  constructor(browser: Browser) {
    this.#browser = browser
  }

  async open(path: string, options: ReopenOptions = {}): Promise<OpenedPage> {
    const { viewport = { width: 1280, height: 720 }, colorScheme = 'light', ...lasting } = options
    const key = JSON.stringify(lasting)
    const opening = this.#pages.get(key) ?? newPage(this.#browser, lasting)
    this.#pages.set(key, opening)
    const page = await opening
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    return openFile(page, path)
  }
}
