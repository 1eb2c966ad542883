/** Loads the styles and scripts that are embedded into the page. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Styles and scripts. */
export interface PageAssets {
  readonly style: string
  /** A module. */
  readonly script: string
  /** The player, for pages with a replay. */
  readonly player: { readonly style: string; readonly script: string }
}

let assets: PageAssets | undefined

/** Reads the assets once. */
export function pageAssets(): PageAssets {
  // The path is valid from both `src` and `dist`.
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
