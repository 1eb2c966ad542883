import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, noBrowser, openPage } from '../packages/report/test/browser.ts'
import { buildSite, OUT } from './build.mjs'

const PATIENT = { timeout: 60_000 }

const skipped = noBrowser === undefined ? '' : ` (${noBrowser})`

describe.skipIf(noBrowser !== undefined)(`the site in a browser${skipped}`, () => {
  let browser: Browser
  beforeAll(async () => {
    expect(await buildSite()).toEqual([])
    browser = await launchBrowser()
  })
  afterAll(() => browser?.close())

  test('the search finds guides and the API, and needs no server', async () => {
    const { page, requests, complaints } = await openPage(browser, join(OUT, 'index.html'))
    await page.locator('#tsd-search-trigger').click()
    const results = page.locator('#tsd-search-results')
    await page.locator('#tsd-search-input').fill('blockDevice')
    await expect.poll(() => results.innerText(), PATIENT).toContain('@coldboot/core.blockDevice')
    expect(await results.innerText()).toContain('Cloud images and cloud-init')
    expect(requests.filter((url) => !url.startsWith('file://'))).toEqual([])
    // Chromium does not load parts of SVG files from the disk. The script of the site embeds the icons instead.
    expect(complaints.filter((text) => !text.includes('assets/icons.svg#'))).toEqual([])
    await page.context().close()
  })

  test('follows the dark theme of the system', async () => {
    const background = async (colorScheme: 'dark' | 'light'): Promise<string> => {
      const { page } = await openPage(browser, join(OUT, 'index.html'), { colorScheme })
      const color = await page.evaluate('getComputedStyle(document.body).backgroundColor')
      await page.context().close()
      return String(color)
    }
    expect(await background('dark')).not.toBe(await background('light'))
  })
})
