/** The code of the page, loaded when there is a page to write. */
import type { RunReport } from './run-report.ts'

/** Code that writes the page of a run. */
export interface PageWriter {
  /** Writes the page of a run to a path. See `page/write-page.tsx`. */
  readonly writePage: (run: RunReport, path: string) => void
}

/** Loads what writes the page of a run: most runs pass and have none. */
export function loadPage(): Promise<PageWriter> {
  return import('./page/write-page.tsx')
}
