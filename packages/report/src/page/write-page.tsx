/** Writes a test run as one HTML page that opens without a network. */
import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { readEnvironment } from '@coldboot/core/internal'
import { renderToString } from 'preact-render-to-string'
import { attempted } from '../attempted.ts'
import type { RunReport } from '../run-report.ts'
import { documentOf } from './document.ts'
import { editorLink } from './editor-link.ts'
import { pageAssets } from './page-assets.ts'
import { PageBody } from './page-body.tsx'
import { PageContext } from './page-context.ts'
import { titleOf } from './page-header.tsx'
import { pageModel } from './page-model.ts'
import { articleOf } from './test-article.tsx'

/**
 * Writes the page from a run and the folders of its machines. Failed tests come first. The ends of consoles and the
 * screenshots are embedded up to a limit. Links to files are relative, so the folder can be moved or uploaded as a whole.
 *
 * @param path path of the page, which is replaced atomically
 */
export function writePage(run: RunReport, path: string): void {
  const target = resolve(path)
  mkdirSync(dirname(target), { recursive: true })
  // Not the process id, which is not unique if several hosts write to the same folder.
  const temporary = `${target}.${randomUUID()}`
  writeFileSync(temporary, renderPage(run, target, chosenEditor()))
  renameSync(temporary, target)
}

/**
 * @param path absolute path of the page, for its links
 * @param editor see `editorLink`
 */
export function renderPage(run: RunReport, path: string, editor?: string): string {
  const page = new PageContext(run.root, path, editor)
  const model = pageModel(run)
  const articles = new Map(model.articles.map((entry) => [entry, articleOf(entry, page)]))
  const { style, script, player } = pageAssets()
  const body = renderToString(<PageBody run={run} model={model} articles={articles} page={page} />)
  const hasReplay = [...page.data.values()].some((value) => typeof value === 'string')
  return documentOf({
    title: titleOf(model),
    body,
    styles: hasReplay ? [player.style, style] : [style],
    scripts: hasReplay ? [player.script] : [],
    module: script,
    data: page.data,
  })
}

/** URL template of the editor. An invalid setting causes only a warning, because the page works without links. */
function chosenEditor(): string | undefined {
  let link: string | undefined
  attempted('Links to the editor', () => {
    const { editor, launchEditor } = readEnvironment()
    link = editorLink({ asked: editor, launched: launchEditor, isRemote: Boolean(process.env.CI) })
  })
  return link
}
