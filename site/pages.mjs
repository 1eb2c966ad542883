// @ts-check
/**
 * Pages of the site that are not generated: guides, READMEs of packages, examples, and pages about the project. Copies them to
 * `site/pages/` with a group and a title, and with links to the copies.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, posix, relative } from 'node:path'
import { isUrl, replaceLinks } from '../scripts/markdown-links.mjs'
import { ROOT } from '../scripts/setup.mjs'

/** Folder of the copies. */
export const PAGES = join(ROOT, 'site', 'pages')

/** Files with the setup of an example, which its page shows last. */
const SETUP = /^(?:package\.json|.*\.config\.[jt]s)$/

/** READMEs of packages with files of Debian instead of code. */
const CONTENT = /^packages\/(?:qemu|guest)-/

/**
 * @typedef {object} SitePage
 * @property {string} source path of the page, or of the folder that it shows, from the root
 * @property {string} copy name of the file in `site/pages/`
 * @property {string} group of the navigation
 * @property {string} title
 * @property {string} text its Markdown, with links relative to the source
 */

const GROUPS = /** @type {const} */ ({
  Guides: ['docs/*.md'],
  Packages: ['packages/*/README.md'],
  'QEMU and guests': ['packages/{qemu,guest}-*/README.md'],
  Examples: ['examples/README.md'],
  Project: ['ARCHITECTURE.md', 'CONTRIBUTING.md', 'bench/README.md'],
})

/** @param {string} path */
const read = (path) => readFileSync(join(ROOT, path), 'utf8')

/** All pages except the README of the project, which is the front page. @returns {SitePage[]} */
export function sitePages() {
  const written = Object.entries(GROUPS).flatMap(([group, patterns]) =>
    globSync(patterns, { cwd: ROOT })
      .filter((source) => group !== 'Packages' || !CONTENT.test(source))
      .toSorted((a, b) => placeInReadme(a) - placeInReadme(b) || a.localeCompare(b))
      .map((source) => pageOf(source, group, read(source))),
  )
  const examples = globSync('examples/*/package.json', { cwd: ROOT })
    .toSorted()
    .map((path) => pageOf(dirname(path), 'Examples', exampleText(dirname(path))))
  return [...written, ...examples]
}

/** Sort key: position of a page's link in the README of the project. @param {string} source */
function placeInReadme(source) {
  const place = read('README.md').indexOf(`](${source.replace('/README.md', '')}`)
  return place === -1 ? Infinity : place
}

/** @param {string} source @param {string} group @param {string} markdown @returns {SitePage} */
function pageOf(source, group, markdown) {
  const [, title = source, text = ''] = /^# (.+)\n([\s\S]*)$/.exec(markdown) ?? []
  const copy = `${source.replace(/\/README\.md$|\.md$/, '').replaceAll('/', '-')}.md`
  return { source, copy, group, title: title.replaceAll('`', ''), text }
}

/** An example as a page: its README, if it has one, and its files. @param {string} folder */
function exampleText(folder) {
  const readme = join(folder, 'README.md')
  const head = existsSync(join(ROOT, readme)) ? read(readme) : `# Example: ${posix.basename(folder)}\n`
  const files = globSync(['*.{ts,js,sh}', '{app,disk,module}/*'], { cwd: join(ROOT, folder) })
    .toSorted()
    .filter((file) => !SETUP.test(file))
    .concat(globSync(['*.config.{ts,js}', 'package.json'], { cwd: join(ROOT, folder) }).toSorted())
  const code = files.map((file) => {
    const language = /\.(ts|js|sh|c|json)$/.exec(file)?.[1] ?? 'text'
    return `\n## ${file}\n\n\`\`\`${language}\n${read(join(folder, file))}\`\`\`\n`
  })
  return head + code.join('')
}

/** Writes the copies, and the front page. @param {readonly SitePage[]} pages @returns {string} path of the front page */
export function writePages(pages) {
  rmSync(PAGES, { recursive: true, force: true })
  mkdirSync(PAGES, { recursive: true })
  const copies = new Map(pages.flatMap(({ source, copy }) => namesOf(source).map((name) => [name, copy])))
  const front = join(PAGES, 'README.md')
  copies.set('README.md', 'README.md')
  for (const { source, copy, group, title, text } of pages) {
    const folder = source.endsWith('.md') ? dirname(source) : source
    const matter = `---\ntitle: ${JSON.stringify(title)}\ngroup: ${group}\n---\n`
    writeFileSync(join(PAGES, copy), `${matter}\n# ${title}\n${withLinks(text, folder, copies)}`)
  }
  writeFileSync(front, withLinks(read('README.md'), '.', copies))
  return front
}

/** Paths that links to a page can use. @param {string} source */
function namesOf(source) {
  return source.endsWith('/README.md') ? [source, dirname(source)] : [source, `${source}/README.md`]
}

/** @param {string} text @param {string} folder of the page @param {ReadonlyMap<string, string>} copies */
function withLinks(text, folder, copies) {
  return replaceLinks(text, (target) => {
    if (isUrl(target) || target.startsWith('#')) return target
    const [path = '', anchor] = target.split('#')
    const source = posix.normalize(posix.join(folder, path))
    const isFolder = statSync(join(ROOT, source)).isDirectory()
    // A folder without a page is part of its parent's page.
    const copy = copies.get(source) ?? (isFolder ? copies.get(dirname(source)) : undefined)
    const to = copy === undefined ? relative(PAGES, join(ROOT, source)) : `./${copy}`
    if (copy === undefined && isFolder) throw new Error(`${target} has no page`)
    return anchor === undefined ? to : `${to}#${anchor}`
  })
}
