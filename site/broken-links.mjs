// @ts-check
/** Finds links in a folder of HTML pages whose file or anchor does not exist. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** @param {string} folder @returns {string[]} a line per broken link */
export function brokenLinks(folder) {
  /** @type {Map<string, { links: Set<string>, ids: Set<string> }>} */
  const pages = new Map()
  for (const path of globSync('**/*.html', { cwd: folder })) pages.set(join(folder, path), readPage(join(folder, path)))
  return [...pages].flatMap(([path, { links }]) =>
    [...links].flatMap((link) => {
      const [file = '', anchor = ''] = link.split('#').map(decodeURIComponent)
      const target = file === '' ? path : join(dirname(path), file.replace(/\/$/, '/index.html'))
      const exists = existsSync(target) && statSync(target).isFile()
      const isBroken = !exists || (anchor !== '' && pages.get(target)?.ids.has(anchor) === false)
      return isBroken ? [`${path.slice(folder.length + 1)}: ${link} leads nowhere`] : []
    }),
  )
}

/** @param {string} path */
function readPage(path) {
  const html = readFileSync(path, 'utf8')
  const valuesOf = (/** @type {RegExp} */ pattern) =>
    new Set(
      [...html.matchAll(pattern)].map(([, value = '']) => value.replaceAll('&amp;', '&').replaceAll('&#39;', "'")),
    )
  const links = valuesOf(/\s(?:href|src)="([^"]*)"/g)
  for (const link of links) if (/^(?:[a-z]+:|#?$)/.test(link)) links.delete(link)
  return { links, ids: valuesOf(/\sid="([^"]*)"/g) }
}
