/** Writes a test run as one HTML page that opens without a network. */
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
 * Writes the page from a run and the folders of its machines. Failed tests come first. The ends of consoles and the
 * screenshots are embedded up to a limit. Links to files are relative, so the folder can be moved or uploaded as a whole.
 *
 * @param path path of the page, which is replaced atomically
 */
export function writePage(run: RunReport, path: string): void {
  const target = resolve(path)
  mkdirSync(dirname(target), { recursive: true })
  // A process id is not unique: another host may write to the same folder.
  const temporary = `${target}.${randomUUID()}`
  writeFileSync(temporary, renderPage(run, target))
  renameSync(temporary, target)
}

/** @param path absolute path of the page, for its links */
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
