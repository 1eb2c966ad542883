import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadPage } from '@coldboot/report'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { launchBrowser, noBrowser, type OpenedPage, openPage } from './browser.ts'
import { busyRun, FAILED_AT } from './busy-run.ts'
import { castOf, jsonLines, SampleProject, sampleAttempt, samplePicture, sampleRun, sampleTest } from './sample-run.ts'

const { writePage } = await loadPage()

/** A long timeout for busy hosts. A correct page passes at once. */
const PATIENT = { timeout: 20_000 }

/** Waits until an image shows this picture. */
async function showsPicture(image: Locator, url: string): Promise<void> {
  await expect.poll(() => image.getAttribute('src'), PATIENT).toBe(url)
}

describe.skipIf(noBrowser !== undefined)(`in a browser${noBrowser === undefined ? '' : ` (${noBrowser})`}`, () => {
  let browser: Browser
  let project: SampleProject

  beforeAll(async () => {
    browser = await launchBrowser()
    project = new SampleProject()
    writePage(busyRun(project), project.page)
  })
  afterAll(async () => {
    await browser.close()
    project[Symbol.dispose]()
  })

  async function open(path: string = project.page, options: BrowserContextOptions = {}): Promise<OpenedPage> {
    const opened = await openPage(browser, path, options)
    onTestFinished(() => opened.page.context().close())
    return opened
  }

  /** The text on the player's terminal. */
  async function terminalText(page: Page): Promise<string> {
    return page.locator('.replay .ap-term').first().innerText()
  }

  test('plays the film of a display with the console, moved by one bar', async () => {
    using filmed = new SampleProject()
    const pictures = [samplePicture(0), samplePicture(0x40), samplePicture(0xff)]
    const machine = filmed.machine('boot.test.ts/films/vm', {
      'meta.json': JSON.stringify({ name: 'vm' }),
      'timeline.jsonl': jsonLines({ time: 6, kind: 'timeout', text: 'no prompt', ok: false }),
      'film.jsonl': jsonLines(
        ...[1, 4, 8].map((time, index) => ({ time, display: 1, file: `00000${index + 1}.png` })),
        { time: 9, display: 1, file: '../../meta.json' },
      ),
      ...Object.fromEntries(pictures.map((png, index) => [`film/00000${index + 1}.png`, png])),
    })
    const attempts = [sampleAttempt({ machines: [machine] })]
    writePage(sampleRun(filmed, [sampleTest(['films'], { state: 'failed', attempts })]), filmed.page)
    const { page, complaints } = await open(filmed.page)
    const image = page.locator('.film img')
    const urlOf = (index: number) => `data:image/png;base64,${Buffer.from(pictures[index] ?? []).toString('base64')}`
    // At the failure, then at the start.
    await showsPicture(image, urlOf(1))
    expect(await page.locator('.film figcaption').innerText()).toBe('Display at 4.0 s')
    await page.getByRole('button', { name: 'From the start' }).click()
    await showsPicture(image, urlOf(0))
    expect(complaints).toEqual([])
  })

  describe('a page of a run', () => {
    test('opens from the disk without network requests or errors', async () => {
      const { page, requests, complaints } = await open()
      await page.locator('.replay .ap-player').first().waitFor()
      expect(await page.title()).toBe('2 of 18 tests failed')
      expect(requests).toEqual([`file://${project.page}`])
      expect(complaints).toEqual([])
    })

    test('shows failed tests, then flaky tests, then lists of the others', async () => {
      const { page } = await open()
      expect(await page.locator('main h2').allInnerTexts()).toEqual([
        'adds two numbers',
        'two machines › see each other over a network with losses',
        'Passed after a retry',
        'restores in time',
        'Passed 16 tests',
        'Skipped 1 test',
      ])
      expect(
        await page.locator('main > article > details').evaluateAll((all) => all.map((it) => it.hasAttribute('open'))),
      ).toEqual([true, false])
    })

    test('shows the error, the source line, and the machine', async () => {
      const { page } = await open()
      const first = page.locator('#failed-1')
      expect(await first.locator('.headline').innerText()).toBe('Error expect(vm).toEventuallyPrint("sum-43")')
      expect(await first.locator('mark').innerText()).toContain("await expect(vm).toEventuallyPrint('sum-43'")
      expect(await first.locator('.error figcaption').allInnerTexts()).toEqual([
        'boot.test.ts:5:3',
        'Closest output',
        'Circumstances',
        'End of the console',
      ])
      expect(await first.locator('.facts').innerText()).toMatch(/Architecture\s+x86_64\s+Accelerator\s+tcg/)
      expect(await first.locator('.timeline .failed').innerText()).toMatch(
        /4\.41 s\s+timeout\s+expect\(vm\)\.toEventuallyPrint\("sum-43"\)\s+3\.0 s boot\.test\.ts:5:3/,
      )
      expect(
        await first.locator('.screen img').evaluate((img) => img instanceof HTMLImageElement && img.naturalWidth),
      ).toBe(320)
    })

    test('filters the timeline by check boxes', async () => {
      const { page } = await open()
      const rows = page.locator('#failed-1 .timeline li:visible')
      const kinds = async (): Promise<readonly string[]> => [...new Set(await rows.locator('.kind').allInnerTexts())]
      expect(await kinds()).toEqual(['event', 'expect', 'console', 'match', 'send', 'timeout'])
      await page.getByLabel('console', { exact: true }).first().uncheck()
      await page.getByLabel('QEMU events').first().uncheck()
      expect(await kinds()).toEqual(['expect', 'match', 'send', 'timeout'])
    })

    test('copies the command line, or selects it if the clipboard is not available', async () => {
      const { page } = await open()
      await page.getByText('Command line that starts').first().click()
      const button = page.locator('#failed-1 [data-copy]')
      await button.click()
      const given = (): Promise<string> =>
        page.evaluate(async () => {
          const selected = document.getSelection()?.toString()
          return selected || document.querySelector('[data-copy]')?.textContent || ''
        })
      await expect.poll(given, PATIENT).toMatch(/^Copied$|^qemu-system-x86_64 -name guest=vm/)
    })

    test('shows each attempt, with the last one open', async () => {
      const { page } = await open()
      await page.locator('nav').getByText('see each other').click()
      const attempts = page.locator('#failed-2 .attempt')
      expect(await attempts.locator('> summary').allInnerTexts()).toEqual([
        'Attempt 2 retry 1, failed',
        'Attempt 1 first attempt, failed',
      ])
      expect(await attempts.first().locator('.machine h3').allInnerTexts()).toEqual([
        'Machine server',
        'Machine client',
      ])
      expect(await attempts.first().locator('.error').innerText()).toContain('expected 1 to be +0')
      expect(await attempts.last().locator('.error').isVisible()).toBe(false)
      expect(await attempts.first().locator('.guest-tests li.failed').innerText()).toMatch(
        /failed kselftest › net › ping\s+exit=1\s+# no route to host/,
      )
    })

    test('has working links to files after the folder was moved', async () => {
      using moved = new SampleProject()
      writePage(busyRun(moved), moved.page)
      const place = join(moved.root, 'down #1 ?')
      renameSync(join(moved.root, '.vitest'), place)
      const opened = await open(`${encodeURI(place).replaceAll('#', '%23').replaceAll('?', '%3F')}/coldboot/index.html`)
      await opened.page.getByText('Files (9)').click()
      await opened.page.getByRole('link', { name: 'timeline.jsonl' }).click()
      await opened.page.waitForURL(/timeline\.jsonl$/)
      expect(fileURLToPath(opened.page.url())).toBe(
        join(place, 'coldboot/boot.test.ts/adds-two-numbers/vm/timeline.jsonl'),
      )
      expect(await opened.page.innerText('body')).toContain('"kind":"timeout"')
    })
  })

  describe('the replay of a console', () => {
    test('starts at the failure, which has a marker', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      expect(await page.locator('.ap-timer').first().innerText()).toMatch(/^00:04/)
      expect(await page.locator('.ap-marker-container').count()).toBe(1)
      await page.locator('.ap-marker-container').first().hover()
      expect(await page.locator('.ap-marker-container').first().textContent()).toContain('expect "sum-43" timed out')
    })

    test('seeks to the time of a timeline row', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      await page.locator('.timeline button.time').filter({ hasText: '1.37 s' }).click()
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('echo sum')
      expect(await terminalText(page)).toContain('BusyBox')
      await page.getByRole('button', { name: `To the failure at ${FAILED_AT} s` }).click()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
    })

    test('plays from the start by keyboard', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      await page.getByRole('button', { name: 'From the start' }).click()
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('Linux version')
      await page.locator('.ap-wrapper').first().focus()
      await page.keyboard.press('Space')
      await expect.poll(() => terminalText(page), PATIENT).toContain('Linux version')
    })
  })

  describe('guest output', () => {
    const EVIL = `</script></pre><img src=x onerror="hacked=1"><script>hacked=2</script><svg onload=hacked=3>" onfocus="hacked=4" autofocus='`

    /** Opens a page in which all text of guests and tests is an attack. */
    async function openHostile(): Promise<OpenedPage> {
      const hostile = new SampleProject()
      onTestFinished(() => hostile[Symbol.dispose]())
      const line = { time: 1, text: EVIL }
      const machine = hostile.machine('x.test.ts/evil/vm', {
        'console.log': EVIL,
        'console.txt': `[1.000000] ${EVIL}\n`,
        'console.cast': [
          { version: 2, width: 80, height: 24 },
          [0.1, 'o', `\x1b]8;;javascript:hacked=5\x07link\x1b]8;;\x07${EVIL}\r\n`],
          [0.2, 'm', EVIL],
        ]
          .map((it) => `${JSON.stringify(it)}\n`)
          .join(''),
        'timeline.jsonl': `${JSON.stringify({ ...line, kind: EVIL, location: EVIL, ok: false })}\n`,
        'qmp.jsonl': `${JSON.stringify({ time: 1, direction: 'received', message: { event: EVIL, data: EVIL } })}\n`,
        'command-line.sh': EVIL,
        'meta.json': JSON.stringify({ name: EVIL, arch: EVIL, exit: { [EVIL]: EVIL }, commandLine: EVIL }),
        'a" onclick=hacked=6 <b>.txt': EVIL,
      })
      const error = {
        name: EVIL,
        message: `${EVIL}\n\n${EVIL}:\n  ${EVIL}`,
        diff: `+ ${EVIL}`,
        stack: [{ file: `/${EVIL}`, line: 1, column: 1, method: EVIL }],
      }
      const guestTest = {
        name: EVIL,
        path: [EVIL, EVIL],
        status: 'failed',
        message: EVIL,
        log: EVIL,
        machine: EVIL,
        command: EVIL,
        repeat: 0,
        retry: 0,
      } as const
      const attempt = sampleAttempt({
        label: EVIL,
        errors: [error],
        machines: [machine],
        guestTests: [guestTest],
      })
      const about = { file: EVIL, project: EVIL, attempts: [attempt, attempt] }
      const run = sampleRun(
        hostile,
        [sampleTest([EVIL, EVIL], { ...about, state: 'failed' }), sampleTest([EVIL], { ...about, attempts: [] })],
        [error],
      )
      writePage({ ...run, runner: EVIL }, hostile.page)
      return open(hostile.page)
    }

    test('is shown as text everywhere', async () => {
      const opened = await openHostile()
      const { page, requests, complaints } = opened
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true
      })
      await page.locator('.replay').first().scrollIntoViewIfNeeded()
      await expect.poll(() => terminalText(page), PATIENT).toContain('<script>hacked=2</script>')
      for (const element of await page.locator('a, button, summary, [tabindex]').all()) await element.focus()
      const found = await page.evaluate(() => ({
        hacked: Reflect.get(globalThis, 'hacked'),
        handlers: [...document.querySelectorAll('*')].flatMap((it) =>
          it.getAttributeNames().filter((name) => name.startsWith('on')),
        ),
        scripts: document.querySelectorAll('script:not([type="application/json"])').length,
        pictures: document.querySelectorAll('main img').length,
        links: [...document.querySelectorAll('a')].filter((it) => it.protocol !== 'file:').length,
      }))
      expect(found).toEqual({ hacked: undefined, handlers: [], scripts: 2, pictures: 0, links: 0 })
      expect(await page.locator('.printed pre').first().innerText()).toBe(EVIL)
      expect(complaints).toEqual([])
      expect(requests).toHaveLength(1)
    })

    test('could not run scripts or load anything even as markup', async () => {
      const opened = await openHostile()
      const { page } = opened
      await page.evaluate(() => {
        const violations: string[] = []
        Reflect.set(globalThis, 'violations', violations)
        document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
          violations.push(effectiveDirective),
        )
        const script = document.createElement('script')
        script.textContent = 'hacked = 7'
        const picture = new Image()
        picture.src = 'https://example.com/x.png'
        const box = document.createElement('div')
        box.innerHTML = '<button onclick="hacked = 8" style="color: red">'
        document.body.append(script, picture, box)
        box.querySelector('button')?.click()
        fetch('https://example.com').catch(() => {})
      })
      const violations = (): Promise<string[]> => page.evaluate(() => Reflect.get(globalThis, 'violations').toSorted())
      await expect
        .poll(violations, PATIENT)
        .toEqual(['connect-src', 'img-src', 'script-src-attr', 'script-src-elem', 'style-src-attr'])
      expect(await page.evaluate(() => Reflect.get(globalThis, 'hacked'))).toBeUndefined()
    })
  })

  describe('the page is accessible', () => {
    const axe = fileURLToPath(import.meta.resolve('axe-core/axe.min.js'))

    test.for([
      ['wide and light', 1400, 'light'],
      ['wide and dark', 1400, 'dark'],
      ['narrow and light', 360, 'light'],
      ['narrow and dark', 360, 'dark'],
    ] as const)('on a screen that is %s', async ([, width, colorScheme]) => {
      // The content security policy would block axe.
      const { page } = await open(project.page, { viewport: { width, height: 800 }, colorScheme, bypassCSP: true })
      await page.evaluate(() => {
        for (const details of document.querySelectorAll('details')) details.open = true
      })
      await page.addScriptTag({ path: axe })
      const violations: string[] = await page.evaluate(async () => {
        const checker: { run(context: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> } =
          Reflect.get(globalThis, 'axe')
        // Excludes the player, which is a dependency.
        const { violations } = await checker.run({ exclude: ['.replay'] })
        return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`)
      })
      expect(violations).toEqual([])
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    })

    test('by keyboard', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      const reached = new Set<string>()
      for (let presses = 0; presses < 60 && !reached.has('timeline'); presses++) {
        await page.keyboard.press('Tab')
        const name = await page.evaluate(() => {
          const focused = document.activeElement
          const parts = {
            contents: 'nav a',
            test: '.test > details > summary',
            player: '.ap-wrapper',
            bar: '.replay-bar button',
            timeline: '.timeline button',
          }
          return Object.entries(parts).find(([, selector]) => focused?.matches(selector))?.[0]
        })
        if (name !== undefined) reached.add(name)
      }
      expect([...reached]).toEqual(['contents', 'test', 'player', 'bar', 'timeline'])
      await page.keyboard.press('Enter')
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('Linux')
    })
  })
})

test('a page without a replay does not contain the player', () => {
  using small = new SampleProject()
  const failed = sampleTest(['fails'], { state: 'failed', attempts: [sampleAttempt()] })
  writePage(sampleRun(small, [failed]), small.page)
  expect(readFileSync(small.page, 'utf8')).not.toContain('AsciinemaPlayer=')
  expect(readdirSync(dirname(small.page))).toEqual(['index.html'])
})

test('a page embeds recordings up to its size limit, for the first failed tests', () => {
  using large = new SampleProject()
  const cast = castOf(...Array.from({ length: 1_000 }, (_, time) => [time, 'o', 'x'.repeat(1_000)] as const))
  const tests = Array.from({ length: 40 }, (_, index) => {
    const machines = [large.machine(`x.test.ts/${index}/vm`, { 'console.cast': cast })]
    return sampleTest([`test ${index}`], { state: 'failed', attempts: [sampleAttempt({ machines })] })
  })
  writePage(sampleRun(large, tests), large.page)
  expect(statSync(large.page).size).toBeLessThan(32 * 1024 ** 2)
  const html = readFileSync(large.page, 'utf8')
  expect(html.match(/class="replay"/g)?.length).toBeGreaterThan(20)
  expect(html.lastIndexOf('class="replay"')).toBeLessThan(html.indexOf('test 39</h2>'))
})

test('a page shows timeline rows up to its limit, the last of each machine, more for the first failed tests', () => {
  using large = new SampleProject()
  const steps = Array.from({ length: 1_500 }, (_, time) => ({ time, kind: 'send', text: `step ${time}` }))
  const files = { 'timeline.jsonl': jsonLines(...steps) }
  const tests = Array.from({ length: 20 }, (_, index) => {
    const machines = [large.machine(`x.test.ts/${index}/vm`, files)]
    return sampleTest([`test ${index}`], { state: 'failed', attempts: [sampleAttempt({ machines })] })
  })
  writePage(sampleRun(large, tests), large.page)
  const articles = readFileSync(large.page, 'utf8').split('<article').slice(1)
  const rows = articles.map((article) => article.match(/<li class="step/g)?.length)
  expect(rows.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 1_000))
  expect(rows.slice(10)).toEqual(Array.from({ length: 10 }, () => 20))
  expect(articles[0]).toContain('500 earlier rows: see the files.')
  expect(articles.every((article) => article.includes('step 1499'))).toBe(true)
})
