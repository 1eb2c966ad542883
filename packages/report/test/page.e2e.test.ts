import { readdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadPage } from '@coldboot/report'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { launchBrowser, noBrowser, type OpenedPage, ReopenedPages, type ReopenOptions } from './browser.ts'
import { busyRun, FAILED_AT } from './busy-run.ts'
import { castOf, jsonLines, SampleProject, sampleAttempt, samplePicture, sampleRun, sampleTest } from './sample-run.ts'

const { writePage } = await loadPage()

/** A long timeout for busy hosts. A correct page passes at once. */
const PATIENT = { timeout: 20_000 }

/** Sets the editor of links until the end of the test. */
function setEditor(name: string): void {
  vi.stubEnv('COLDBOOT_EDITOR', name)
  onTestFinished(() => void vi.unstubAllEnvs())
}

/** Waits until an image shows this picture. */
async function showsPicture(image: Locator, url: string): Promise<void> {
  await expect.poll(() => image.getAttribute('src'), PATIENT).toBe(url)
}

describe.skipIf(noBrowser !== undefined)(`in a browser${noBrowser === undefined ? '' : ` (${noBrowser})`}`, () => {
  let browser: Browser
  let pages: ReopenedPages
  let project: SampleProject

  beforeAll(async () => {
    browser = await launchBrowser()
    pages = new ReopenedPages(browser)
    project = new SampleProject()
    writePage(busyRun(project), project.page)
  })
  afterAll(async () => {
    await browser.close()
    project[Symbol.dispose]()
  })

  function open(path: string = project.page, options?: ReopenOptions): Promise<OpenedPage> {
    return pages.open(path, options)
  }

  /** The text on the player's terminal. */
  async function terminalText(page: Page): Promise<string> {
    return page.locator('.replay .ap-term').first().innerText()
  }

  /** The text of the replay of the first machine of the page. */
  const clockOf = (page: Page): Locator => page.locator('.clock output').first()

  describe('a page of a run', () => {
    test('opens from the disk without network requests or errors', async () => {
      const { page, requests, complaints } = await open()
      await page.locator('.replay .ap-player').first().waitFor()
      expect(await page.title()).toBe('2 of 18 tests failed')
      expect(requests).toEqual([`file://${project.page}`])
      expect(complaints).toEqual([])
    })

    test('shows tests by file, failed files first, and each failure with its reason in one line', async () => {
      const { page } = await open()
      expect(await page.locator('.file > summary').allInnerTexts()).toEqual([
        'boot.test.ts 1 failed, 1 passed, 1 skipped',
        'network.test.ts 1 failed, 1 flaky',
        'devices.test.ts 14 passed',
      ])
      expect(await page.locator('main h3').allInnerTexts()).toEqual([
        'adds two numbers',
        'two machines › see each other over a network with losses',
        'restores in time',
      ])
      const isOpen = (selector: string): Promise<readonly boolean[]> =>
        page.locator(selector).evaluateAll((all) => all.map((it) => it.hasAttribute('open')))
      expect(await isOpen('.file')).toEqual([true, true, false])
      expect(await isOpen('article > details')).toEqual([true, false, false])
      expect(await page.locator('.item .reason:visible').allInnerTexts()).toEqual([
        'expected 1 to be +0 // Object.is equality',
        '"vm" did not print "ready" within 5.0 s',
      ])
      expect(await page.locator('.item .reason').first().textContent()).toMatch(
        /^"vm" did not print "sum-43" within 3\.0 s/,
      )
      expect(await page.locator('.outside summary').allInnerTexts()).toEqual([
        'Error The worker crashed: see worker.log',
      ])
    })

    test('shows the error, the source line, and the machine, each once', async () => {
      const { page } = await open()
      const test = page.locator('article').first()
      expect(await test.locator('.headline').innerText()).toBe('Error expect(vm).toEventuallyPrint("sum-43")')
      expect(await test.locator('mark').innerText()).toContain("await expect(vm).toEventuallyPrint('sum-43'")
      expect(await test.locator('.error figcaption').allInnerTexts()).toEqual([
        expect.stringContaining('boot.test.ts:5:3'),
        'Closest output',
        'Circumstances',
      ])
      expect(await test.locator('.facts').innerText()).toMatch(/Architecture\s+x86_64\s+Accelerator\s+tcg/)
      const rows = test.locator('.step:visible')
      expect((await rows.allInnerTexts()).map((text) => text.replace(/\s+/g, ' ').trim())).toEqual([
        '1.36 s expect "coldboot# " 1.3 s',
        '1.37 s send echo sum-$((40 + 2))',
        expect.stringMatching(/^4\.41 s expect expect\(vm\)\.toEventuallyPrint\("sum-43"\) 3\.0 s boot\.test\.ts:5:3$/),
      ])
      await test.getByLabel('2 events of QEMU').check()
      expect(await rows.locator('.kind').allInnerTexts()).toEqual(['QEMU', 'expect', 'send', 'expect', 'QEMU'])
      expect(await test.locator('.screen img').count()).toBe(1)
      expect(
        await test.locator('.screen img').evaluate((img) => img instanceof HTMLImageElement && img.naturalWidth),
      ).toBe(320)
      await test.getByText('QMP messages (4)').click()
      expect(await test.locator('.qmp li').last().innerText()).toMatch(/←\s+SHUTDOWN \{ "guest": false \}/)
    })

    test('shows each attempt, with the last one open', async () => {
      const { page } = await open()
      await page.locator('nav').getByText('see each other').click()
      const attempts = page.locator('article').nth(1).locator('.attempt')
      expect(await attempts.locator('> summary').allInnerTexts()).toEqual([
        'Attempt 2 retry 1, failed',
        'Attempt 1 first attempt, failed',
      ])
      expect(await attempts.first().locator('.machine h4').allInnerTexts()).toEqual([
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

    test('shows consoles, steps and pictures without scripts', async () => {
      const { page } = await open(project.page, { javaScriptEnabled: false })
      const test = page.locator('article').first()
      expect(await test.locator('.console-text').innerText()).toContain('    1.440  sum-42\n')
      expect(await test.locator('.step[data-kind="send"]').isVisible()).toBe(true)
      expect(await test.locator('.screen img').isVisible()).toBe(true)
      expect(await test.locator('.replay').isVisible()).toBe(false)
      expect(await page.locator('#search').isVisible()).toBe(false)
    })
  })

  describe('the replay of a machine', () => {
    /** A machine with a film, typed keys and steps. */
    function filmedRun(filmed: SampleProject): readonly Uint8Array[] {
      const pictures = [0, 0x40, 0xff].map((blue) => samplePicture(blue, [1024, 768]))
      const machine = filmed.machine('boot.test.ts/films/vm', {
        'meta.json': JSON.stringify({ name: 'vm' }),
        'console.cast': castOf([0.5, 'o', 'firmware\r\n'], [5, 'o', 'kernel\r\n']),
        'console.txt': '[0.500000] firmware\n[5.000000] kernel\n',
        'timeline.jsonl': jsonLines(
          { time: 2, kind: 'input', text: 'pressed "f12"' },
          { time: 4.5, kind: 'send', text: 'root\n' },
          { time: 3, kind: 'expect', text: '"prompt"', id: 'expect-1' },
          { time: 6, kind: 'timeout', text: 'no `prompt`', id: 'expect-1', ok: false },
        ),
        'film.jsonl': jsonLines(
          ...[1, 4, 10].map((time, index) => ({ time, display: 1, file: `00000${index + 1}.png` })),
          { time: 10, display: 1, file: '../../meta.json' },
        ),
        ...Object.fromEntries(pictures.map((png, index) => [`film/00000${index + 1}.png`, png])),
      })
      const attempts = [sampleAttempt({ machines: [machine] })]
      writePage(sampleRun(filmed, [sampleTest(['films'], { state: 'failed', attempts })]), filmed.page)
      return pictures
    }

    test('the time bar moves the console, the film, typed keys and the steps', async () => {
      using filmed = new SampleProject()
      const pictures = filmedRun(filmed)
      const { page, complaints } = await open(filmed.page)
      const urlOf = (index: number) => `data:image/png;base64,${Buffer.from(pictures[index] ?? []).toString('base64')}`
      const shows = async (
        picture: number,
        about: { keys: string; current: string; running: number },
      ): Promise<void> => {
        await showsPicture(page.locator('.film img'), urlOf(picture))
        expect({
          keys: await page.locator('.keys').innerText(),
          current: await page.locator('.step[aria-current="step"] .time').innerText(),
          running: await page.locator('.step.running').count(),
        }).toEqual(about)
      }
      const slider = page.getByRole('slider', { name: 'Time of vm' })
      // The replay starts at the failure.
      await expect.poll(() => terminalText(page), PATIENT).toContain('kernel')
      await shows(1, { keys: 'Input at 4.50 s: root⏎', current: '6.00 s', running: 0 })
      expect(await page.locator('.film figcaption').innerText()).toBe('Display at 4.0 s')
      // Moves the replay with keys on the bar.
      await slider.focus()
      await page.keyboard.press('ArrowLeft')
      expect(await slider.getAttribute('aria-valuetext')).toBe('5.90 seconds')
      await expect.poll(() => terminalText(page), PATIENT).toContain('kernel')
      await page.keyboard.press('Home')
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('firmware')
      expect(await slider.getAttribute('aria-valuetext')).toBe('0.00 seconds')
      await page.keyboard.press('End')
      await showsPicture(page.locator('.film img'), urlOf(2))
      await page.keyboard.press('PageDown')
      expect(await slider.getAttribute('aria-valuetext')).toBe('9.00 seconds')
      // Moves the replay with the pointer, to the middle of the bar.
      const box = await page.locator('.track').boundingBox()
      if (box) await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2)
      await shows(1, { keys: 'Input at 4.50 s: root⏎', current: '4.50 s', running: 1 })
      await expect.poll(() => terminalText(page), PATIENT).toContain('kernel')
      // Moves the replay to a step.
      await page.locator('.step').first().click()
      await shows(0, { keys: 'Input at 2.00 s: pressed "f12"', current: '2.00 s', running: 0 })
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('kernel')
      await page.getByRole('button', { name: 'Failure' }).click()
      await expect.poll(() => terminalText(page), PATIENT).toContain('kernel')
      expect(complaints).toEqual([])
    })

    test.for([
      [1440, 900],
      [1280, 720],
    ] as const)('fits on a screen of %i by %i pixels with a display and the steps', async ([width, height]) => {
      using filmed = new SampleProject()
      filmedRun(filmed)
      const { page } = await open(filmed.page, { viewport: { width, height } })
      await page.locator('.replay .ap-term').waitFor()
      await page.locator('.workbench').evaluate((workbench) => workbench.scrollIntoView())
      const lowest = async (): Promise<number> => {
        const parts = ['.scrubber', '.replay', '.film img', '.steps ol'].map((part) => page.locator(part).boundingBox())
        return Math.max(...(await Promise.all(parts)).map((box) => (box ? box.y + box.height : Infinity)))
      }
      await expect.poll(lowest, PATIENT).toBeLessThanOrEqual(height)
      expect((await page.locator('.film img').boundingBox())?.height).toBeGreaterThan(250)
    })

    test('shows the console as text, whose lines follow and move the time bar', async () => {
      using filmed = new SampleProject()
      filmedRun(filmed)
      const { page } = await open(filmed.page)
      await page.getByRole('tab', { name: 'Replay' }).focus()
      await page.keyboard.press('ArrowRight')
      expect(await page.getByRole('tab', { name: 'Text' }).getAttribute('aria-selected')).toBe('true')
      expect(await page.locator('.replay').isVisible()).toBe(false)
      expect(await page.locator('.console-text .now').innerText()).toBe('    5.000  kernel\n')
      await page.locator('.console-text').getByText('firmware').click()
      expect(await clockOf(page).innerText()).toBe('0.50')
      expect(await page.locator('.console-text .now').innerText()).toBe('    0.500  firmware\n')
    })

    test('starts at the failure, and plays from the start by keyboard until it is paused', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      expect(await clockOf(page).innerText()).toBe(FAILED_AT.toFixed(2))
      await page.keyboard.press('Home')
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('Linux version')
      await page.keyboard.press('Space')
      await expect.poll(() => terminalText(page), PATIENT).toContain('Linux version')
      await page.keyboard.press('Space')
      expect(await page.locator('[data-act="play"]').first().innerText()).toBe('Play')
      const stopped = await clockOf(page).innerText()
      expect(Number(stopped)).toBeGreaterThan(0)
      expect(page.url()).toMatch(new RegExp(`&at=0:${stopped}$`))
    })
  })

  describe('tests are found', () => {
    const shown = async (page: Page): Promise<readonly string[]> =>
      page.locator('.item:visible').evaluateAll((all) => all.map(({ id }) => id))

    test('tests are found by words in tests, errors and consoles, and the URL keeps the search', async () => {
      const { page } = await open()
      await page.keyboard.press('/')
      await page.keyboard.type('SERIAL greets')
      expect(await shown(page)).toEqual(['boot.test.ts/greets-on-the-serial-console'])
      expect(await page.locator('.found').innerText()).toBe('1 of 19 tests')
      await page.locator('#search').fill('virtio_blk SUM-42')
      expect(await shown(page)).toEqual(['boot.test.ts/adds-two-numbers'])
      expect(await page.locator('nav li:visible').allInnerTexts()).toEqual(['adds two numbers'])
      expect(await page.evaluate(() => location.hash)).toBe('#q=virtio_blk+SUM-42')
      await page.reload()
      expect(await shown(page)).toEqual(['boot.test.ts/adds-two-numbers'])
      // A click on the found line moves the replay.
      expect(await page.locator('.hit').innerText()).toContain('0.500000] virtio_blk virtio0: [vda]')
      await page.locator('.hit').click()
      expect(await clockOf(page).innerText()).toBe('0.95')
      expect(await page.locator('.console-text .now').innerText()).toContain('virtio_blk')
      await page.locator('#search').press('Escape')
      expect(await page.locator('.file:visible').count()).toBe(3)
      expect(await page.locator('.file').nth(2).getAttribute('open')).toBeNull()
    })

    test('tests are found by status and machine', async () => {
      const { page } = await open()
      await page.getByRole('button', { name: '1 flaky' }).click()
      expect(await shown(page)).toEqual(['network.test.ts/restores-in-time'])
      await page.getByRole('button', { name: '1 skipped' }).click()
      expect(await shown(page)).toEqual(['boot.test.ts/boots-on-real-hardware', 'network.test.ts/restores-in-time'])
      expect(await page.evaluate(() => location.hash)).toBe('#status=flaky,skipped')
      await page.goto(`file://${project.page}#Machine=server`)
      await expect.poll(() => shown(page), PATIENT).toHaveLength(1)
      expect(await page.getByLabel('Machine', { exact: true }).inputValue()).toBe('server')
      await page.getByLabel('Machine', { exact: true }).selectOption('')
      expect(await page.locator('.found').innerText()).toBe('')
    })

    test('tests are found by a link with a time of the replay', async () => {
      const { page } = await open(`${project.page}#test=boot.test.ts/adds-two-numbers&at=0:1.40`)
      await expect.poll(() => terminalText(page), PATIENT).toContain('echo sum')
      expect(await terminalText(page)).not.toContain('sum-42')
      expect(await clockOf(page).innerText()).toBe('1.40')
      await page.goto(`file://${project.page}#network.test.ts/restores-in-time`)
      await page.locator('[id="network.test.ts/restores-in-time"] .error').waitFor()
      await page.goBack()
      await expect
        .poll(() => page.evaluate(() => document.activeElement?.id), PATIENT)
        .toBe('boot.test.ts/adds-two-numbers')
    })

    test('tests are found by shortcuts, which the key ? lists', async () => {
      const { page } = await open()
      const current = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.id)
      const press = async (keys: string): Promise<string | undefined> => {
        for (const key of keys) await page.keyboard.press(key)
        return current()
      }
      const ids = [
        'boot.test.ts/adds-two-numbers',
        'network.test.ts/emulated/two-machines--see-each-other-over-a-network-with-losses',
        'boot.test.ts/greets-on-the-serial-console',
      ]
      expect(await press('n')).toBe(ids[0])
      expect(await press('n')).toBe(ids[1])
      expect(await page.locator('article').nth(1).locator('.attempt').first().isVisible()).toBe(true)
      expect(await press('p')).toBe(ids[0])
      expect(await press('j')).toBe(ids[2])
      expect(await press('k')).toBe(ids[0])
      await press('o')
      expect(await page.locator('article').first().locator('.content').isVisible()).toBe(false)
      await press('?')
      const list = page.getByRole('dialog', { name: 'Keyboard shortcuts' })
      expect(await list.locator('dt').allInnerTexts()).toContain('j')
      await page.keyboard.press('Escape')
      expect(await list.isVisible()).toBe(false)
      await press('/n')
      expect(await page.locator('#search').inputValue()).toBe('n')
    })
  })

  describe('a test can be run again and edited', () => {
    test('a test can be run again and edited with copied commands and links', async () => {
      const { page } = await open()
      await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
      const test = page.locator('article').first()
      const copies = async (name: string, text: unknown): Promise<void> => {
        await test.getByRole('button', { name, exact: true }).first().click()
        await expect.poll(() => page.evaluate(() => navigator.clipboard.readText()), PATIENT).toEqual(text)
      }
      await copies('Copy rerun command', "npx vitest run boot.test.ts -t '^adds two numbers$'")
      expect(await test.getByRole('button', { name: 'Copied' }).isVisible()).toBe(true)
      await copies('Copy path', 'boot.test.ts:3')
      await page.locator('.step[data-kind="send"]').click()
      await copies('Copy link', `file://${project.page}#test=boot.test.ts/adds-two-numbers&at=0:1.37`)
      await copies('Copy', expect.stringMatching(/^qemu-system-x86_64 -name guest=vm/))
    })

    test('selects a command if the clipboard is not available', async () => {
      const { page } = await open()
      await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }))
      await page.getByText('Command line that starts').first().click()
      await page.locator('article').first().getByRole('button', { name: 'Copy', exact: true }).click()
      const selected = (): Promise<string> => page.evaluate(() => document.getSelection()?.toString().trim() ?? '')
      await expect.poll(selected, PATIENT).toMatch(/^qemu-system-x86_64 -name guest=vm/)
    })

    test('a test can be opened in the editor of COLDBOOT_EDITOR', async () => {
      setEditor('cursor')
      using edited = new SampleProject()
      writePage(busyRun(edited), edited.page)
      const { page } = await open(edited.page)
      const links = page.locator('article').first().locator('a.editor')
      expect(await links.evaluateAll((all) => all.map((it) => it.getAttribute('href')))).toEqual([
        `cursor://file${edited.root}/boot.test.ts:3:1`,
        `cursor://file${edited.root}/boot.test.ts:5:3`,
        `cursor://file${edited.root}/boot.test.ts:5:3`,
      ])
    })
  })

  describe('guest output', () => {
    const EVIL = `</script></pre><img src=x onerror="hacked=1"><script>hacked=2</script><svg onload=hacked=3>" onfocus="hacked=4" autofocus='`

    /** Opens a page in which all text of guests and tests is an attack. */
    async function openHostile(): Promise<OpenedPage> {
      setEditor('zed')
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
        links: [...document.querySelectorAll('a')].map((it) => it.protocol).filter((it) => it !== 'file:'),
      }))
      expect(found).toEqual({
        hacked: undefined,
        handlers: [],
        scripts: 2,
        pictures: 0,
        links: ['zed:', 'zed:', 'zed:'],
      })
      expect(await page.locator('.console-text').first().textContent()).toBe(`    1.000  ${EVIL}\n`)
      expect(complaints).toEqual([])
      expect(requests).toHaveLength(1)
    })

    test('could not run scripts or load resources even if it were parsed as HTML', async () => {
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

    test('the page is accessible by keyboard', async () => {
      const { page } = await open()
      await expect.poll(() => terminalText(page), PATIENT).toContain('sum-42')
      const reached = new Set<string>()
      for (let presses = 0; presses < 60 && !reached.has('steps'); presses++) {
        await page.keyboard.press('Tab')
        const name = await page.evaluate(() => {
          const focused = document.activeElement
          const parts = {
            search: '#search',
            contents: 'nav a',
            test: '.test > details > summary',
            bar: '.track input',
            console: '.tabs [role="tab"]',
            steps: '.step button',
          }
          return Object.entries(parts).find(([, selector]) => focused?.matches(selector))?.[0]
        })
        if (name !== undefined) reached.add(name)
      }
      expect([...reached]).toEqual(['search', 'contents', 'test', 'bar', 'console', 'steps'])
      await page.keyboard.press('Enter')
      await expect.poll(() => terminalText(page), PATIENT).not.toContain('echo sum')
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
  expect(html.lastIndexOf('class="replay"')).toBeLessThan(html.indexOf('test 39</h3>'))
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
  expect(articles[0]).toContain('500 earlier steps: see the files.')
  expect(articles.every((article) => article.includes('step 1499'))).toBe(true)
})
