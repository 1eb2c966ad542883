/** Loads the code that writes the page of a run on demand. */
import type { RunReport } from './run-report.ts'

/** Code that writes the page of a run. */
export interface PageWriter {
  /** Writes the page of a run to a path. See `page/write-page.tsx`. */
  readonly writePage: (run: RunReport, path: string) => void
}

/** Loads the code. Most runs do not need it, because they pass and write no page. */
export function loadPage(): Promise<PageWriter> {
  return import('./page/write-page.tsx')
}
