/** The page's style and scripts, which are put into it whole: it must open from a disk, without a network. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Texts of a page that do not depend on the run. */
export interface PageAssets {
  readonly style: string
  /** Runs when the page has been read; a module. */
  readonly script: string
  /** The player, which a page without a replay does not need. */
  readonly player: { readonly style: string; readonly script: string }
}

let assets: PageAssets | undefined

/** Reads them once. */
export function pageAssets(): PageAssets {
  // The same path from `src` and from `dist`.
  const own = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const player = (name: string): string => {
    return readFileSync(fileURLToPath(import.meta.resolve(`asciinema-player/dist/bundle/${name}`)), 'utf8')
  }
  assets ??= {
    style: own('browser/page.css'),
    script: own('dist/browser/page.js').replace(/^\/\/# sourceMappingURL=.*$/m, ''),
    player: { style: player('asciinema-player.css'), script: player('asciinema-player.min.js') },
  }
  return assets
}
