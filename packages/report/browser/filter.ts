/** Shows the tests that match the search and the filters. */
import { findLine } from './console-text.ts'
import { all, first } from './elements.ts'
import { markFound } from './found-marks.ts'
import type { PageState } from './page-state.ts'

/** A test of the page. */
interface Item {
  readonly element: HTMLElement
  readonly status: string
  readonly facets: Readonly<Record<string, readonly string[]>>
  /** Its searchable text in lower case, collected by the first search. */
  text?: string
}

/** Parts of a test that are searched. */
const SEARCHED = 'h3, .reason, .error, .guest-tests, .console-text'

let items: readonly Item[] | undefined
/** Parts that a search has unfolded. */
const folded = new Set<HTMLDetailsElement>()

/** Applies a state. @returns the number of tests that match */
export function applyFilter(state: PageState): number {
  items ??= all('.item').map((element): Item => {
    const { status = '', facets } = element.dataset
    return { element, status, facets: facets ? JSON.parse(facets) : {} }
  })
  const words = wordsOf(state.search)
  const isFiltering = words.length > 0 || state.statuses.length > 0 || Object.keys(state.facets).length > 0
  const links = new Map(all('nav [data-test]').map((link) => [link.dataset['test'], link.parentElement]))
  let count = 0
  for (const item of items) {
    const isFound = matches(item, state, words)
    const link = links.get(item.element.id)
    item.element.hidden = !isFound
    if (link) link.hidden = !isFound
    if (isFound) count++
    showHit(item.element, isFound ? words : [])
  }
  for (const group of all('nav .group, .file, .rest')) {
    group.hidden = all('.item, nav li', group).every(({ hidden }) => hidden)
  }
  filterOutside(state, words, isFiltering)
  fold(isFiltering)
  const output = first('.found')
  if (output) output.textContent = isFiltering ? `${count} of ${items.length} tests` : ''
  markFound(words)
  return count
}

function wordsOf(search: string): readonly string[] {
  return search.toLowerCase().split(/\s+/).filter(Boolean)
}

function matches(item: Item, { statuses, facets }: PageState, words: readonly string[]): boolean {
  if (statuses.length > 0 && !statuses.includes(item.status)) return false
  if (!Object.entries(facets).every(([title, value]) => item.facets[title]?.includes(value))) return false
  if (words.length === 0) return true
  item.text ??= textOf(item.element)
  const { text } = item
  return words.every((word) => text.includes(word))
}

function textOf(element: HTMLElement): string {
  const file = first(':scope > summary', element.closest('.file') ?? element)?.textContent ?? ''
  const parts = element.matches('.row') ? [element] : all(SEARCHED, element)
  return [file, ...parts.map(({ textContent }) => textContent)].join('\n').toLowerCase()
}

/** Errors outside of tests have no status and no machine. */
function filterOutside({ statuses, facets }: PageState, words: readonly string[], isFiltering: boolean): void {
  const isSearch = statuses.length === 0 && Object.keys(facets).length === 0
  const section = first('.outside')
  if (!section) return
  const errors = all('details', section)
  for (const error of errors) {
    const text = error.textContent?.toLowerCase() ?? ''
    error.hidden = isFiltering && !(isSearch && words.every((word) => text.includes(word)))
  }
  section.hidden = errors.every(({ hidden }) => hidden)
}

/** Unfolds files and lists while something is searched, and folds them again. */
function fold(isFiltering: boolean): void {
  for (const group of all('.file, .rest')) {
    if (!(group instanceof HTMLDetailsElement) || group.open || !isFiltering) continue
    group.open = true
    folded.add(group)
  }
  if (isFiltering) return
  for (const group of folded) group.open = false
  folded.clear()
}

/** Shows the first console line that contains a searched word, as a button that moves the replay to that line. */
function showHit(test: HTMLElement, words: readonly string[]): void {
  first(':scope > .hit', test)?.remove()
  const [word] = words
  if (word === undefined || !test.matches('.test')) return
  for (const [index, element] of all('.workbench', test).entries()) {
    const text = first('.console-text', element)
    const line = text && findLine(text, word)
    if (!line) continue
    const button = document.createElement('button')
    button.type = 'button'
    button.className = 'hit'
    button.dataset['hit'] = String(index)
    button.dataset['time'] = String(line.time ?? '')
    button.textContent = `${element.dataset['machine']}: ${line.text}`
    test.append(button)
    return
  }
}
