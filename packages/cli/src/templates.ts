/** `coldboot templates`: lists and removes the templates of this user. */
import { OptionError } from '@coldboot/core'
import { type PruneLimits, readEnvironment, templateStore } from '@coldboot/core/internal'

/** Returns a table of the templates, the most recently used first. */
export async function listTemplates(): Promise<string> {
  const store = await templateStore()
  const rows = store.list().toSorted((a, b) => b.usedMs - a.usedMs)
  const { cacheDirectory } = readEnvironment()
  if (rows.length === 0) return `No templates in ${cacheDirectory}`
  const lines = rows.map(({ key, usedMs, diskBytes, base }) => {
    const over = base === undefined ? '' : `  over ${base}`
    return `${key}  ${when(usedMs)}  ${size(diskBytes).padStart(10)}${over}`
  })
  const total = rows.reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  return [...lines, `${counted(rows.length)}, ${size(total)}, in ${cacheDirectory}`].join('\n')
}

/** @returns text that lists the removed templates */
export async function pruneTemplates(limits: PruneLimits): Promise<string> {
  const store = await templateStore()
  const before = store.list()
  const removed = await store.prune(limits)
  const freed = before.filter(({ key }) => removed.includes(key)).reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  return [...removed, `${counted(removed.length)} removed, ${size(freed)} freed`].join('\n')
}

/**
 * @returns text that lists the removed templates
 * @throws OptionError `FILE_MISSING` when there is no such template; none is removed then
 */
export async function removeTemplates(keys: readonly string[]): Promise<string> {
  const store = await templateStore()
  const known = new Set(store.list().map(({ key }) => key))
  const unknown = keys.find((key) => !known.has(key))
  if (unknown !== undefined) {
    throw new OptionError('FILE_MISSING', `There is no template ${unknown}`, {
      hint: 'List them with `coldboot templates`.',
    })
  }
  await Promise.all(keys.map((key) => store.remove(key)))
  return `${counted(keys.length)} removed`
}

function counted(number: number): string {
  return `${number} template${number === 1 ? '' : 's'}`
}

function when(milliseconds: number): string {
  return new Date(milliseconds).toISOString().slice(0, 16).replace('T', ' ')
}

function size(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
