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

/** Style sheets, in order. */
const STYLES = ['page', 'test', 'error', 'machine', 'workbench']

let assets: PageAssets | undefined

/** Reads the assets once. */
export function pageAssets(): PageAssets {
  // The path is valid from both `src` and `dist`.
  const own = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
  const player = (name: string): string => {
    return readFileSync(fileURLToPath(import.meta.resolve(`asciinema-player/dist/bundle/${name}`)), 'utf8')
  }
  assets ??= {
    style: STYLES.map((name) => own(`browser/styles/${name}.css`)).join('\n'),
    script: joinedModules('page', (name) => own(`dist/browser/${name}.js`)),
    player: { style: player('asciinema-player.css'), script: player('asciinema-player.min.js') },
  }
  return assets
}

/** The only forms of imports and exports in the compiler's output. */
const IMPORT = /^import (?:\{[^}]*\} from )?['"]\.\/([\w-]+)\.js['"];\n/gm
const EXPORT = /^export (?=(?:async )?(?:const|let|function|class)\b)/gm

/**
 * Joins a module with its imports, because a page that is opened from the disk cannot load modules. Top-level names must be
 * unique among all modules.
 * @param read reads a module by its name
 */
export function joinedModules(entry: string, read: (name: string) => string): string {
  const parts: string[] = []
  const seen = new Set<string>()
  const add = (name: string): void => {
    if (seen.has(name)) return
    seen.add(name)
    const source = read(name)
    for (const [, imported = ''] of source.matchAll(IMPORT)) add(imported)
    parts.push(
      source
        .replace(IMPORT, '')
        .replace(EXPORT, '')
        .replace(/^(?:export \{\};|\/\/# sourceMappingURL=.*)$/gm, ''),
    )
  }
  add(entry)
  const script = parts.join('\n')
  if (/^(?:import|export)\b/m.test(script))
    throw new Error('A module of the page has an import or export of another form')
  return script
}
