/** Marks searched words in the visible text of the page. */
import { all } from './elements.ts'

/** Largest number of marks, because each takes time in the browser. */
const MOST = 500
const MARKED = 'h2, h3, .row, .reason, .error, .hit, .console-text'

/** Replaces the marks. Browsers without highlights show none. */
export function markFound(words: readonly string[]): void {
  if (!('highlights' in CSS)) return
  CSS.highlights.delete('found')
  if (words.length === 0) return
  const ranges: Range[] = []
  for (const element of all(MARKED, document.querySelector('main') ?? document)) {
    if (!element.checkVisibility()) continue
    const nodes = document.createTreeWalker(element, NodeFilter.SHOW_TEXT)
    while (nodes.nextNode() && ranges.length < MOST) ranges.push(...rangesIn(nodes.currentNode, words))
  }
  CSS.highlights.set('found', new Highlight(...ranges))
}

function rangesIn(node: Node, words: readonly string[]): readonly Range[] {
  const text = node.textContent?.toLowerCase() ?? ''
  return words.flatMap((word) => {
    const ranges: Range[] = []
    for (let at = text.indexOf(word); at >= 0 && ranges.length < MOST; at = text.indexOf(word, at + word.length)) {
      // A few letters are longer in lower case.
      if (at + word.length > (node.textContent?.length ?? 0)) break
      const range = document.createRange()
      range.setStart(node, at)
      range.setEnd(node, at + word.length)
      ranges.push(range)
    }
    return ranges
  })
}
