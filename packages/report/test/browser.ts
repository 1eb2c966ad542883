/** Starts the installed headless browser for the tests of the page. Never downloads one. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'

const COMMANDS = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
const MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome'

const FOLDERS = (process.env['PATH'] ?? '').split(delimiter)
const BROWSER = [...COMMANDS.flatMap((name) => FOLDERS.map((folder) => join(folder, name))), MAC].find(existsSync)

/** Why no browser is available; undefined if there is one. */
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

/** Opens a file in offline mode. */
export async function openPage(
  browser: Browser,
  path: string,
  options: BrowserContextOptions = {},
): Promise<OpenedPage> {
  const context = await browser.newContext({ offline: true, ...options })
  const page = await context.newPage()
  const requests: string[] = []
  const complaints: string[] = []
  page.on('request', (request: Request) => {
    if (!request.url().startsWith('data:')) requests.push(request.url())
  })
  page.on('console', (message) => complaints.push(message.text()))
  page.on('pageerror', (error) => complaints.push(String(error)))
  await page.goto(`file://${path}`)
  return { page, requests, complaints }
}
