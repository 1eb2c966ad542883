/** Writes a run of tests as one HTML page that opens from a disk, without a network. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { renderToString } from 'preact-render-to-string'
import type { RunReport } from '../run-report.ts'
import { documentOf } from './document.ts'
import { pageAssets } from './page-assets.ts'
import { PageBody, titleOf } from './page-body.tsx'
import { PageContext } from './page-context.ts'

/**
 * Writes the page: what failed comes first, each test with its errors and its machines, whose folders are read for it.
 * Consoles and displays are put into the page as far as they have room, the end of each; all files are linked to,
 * relative to the page, so that the folder can be moved or uploaded as a whole.
 *
 * @param path of the page; replaced as a whole
 */
export function writePage(run: RunReport, path: string): void {
  const target = resolve(path)
  mkdirSync(dirname(target), { recursive: true })
  // Another host may write to the same folder, under the same pid.
  const temporary = `${target}.${randomUUID()}`
  writeFileSync(temporary, renderPage(run, target))
  renameSync(temporary, target)
}

/** @param path where the page will lie, absolute: its links are relative to it */
export function renderPage(run: RunReport, path: string): string {
  const page = new PageContext(run.root, path)
  const { style, script, player } = pageAssets()
  const body = renderToString(<PageBody run={run} page={page} />)
  const hasReplay = page.data.size > 0
  return documentOf({
    title: titleOf(run),
    body,
    styles: hasReplay ? [player.style, style] : [style],
    scripts: hasReplay ? [player.script] : [],
    module: script,
    data: page.data,
  })
}
