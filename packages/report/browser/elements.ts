/** Finds elements of the page. */

/** The descendants that match a selector. */
export function all(selector: string, parent: ParentNode = document): readonly HTMLElement[] {
  return [...parent.querySelectorAll<HTMLElement>(selector)]
}

/** The first descendant that matches a selector. */
export function first(selector: string, parent: ParentNode = document): HTMLElement | undefined {
  return parent.querySelector<HTMLElement>(selector) ?? undefined
}

/** Embedded JSON data, by the id of its element. */
export function dataOf<Data>(id: string): Data | undefined {
  const json = document.getElementById(id)?.textContent
  return json ? JSON.parse(json) : undefined
}

/** Whether an element is shown: it is not hidden and not in a folded part. */
export function isShown(element: HTMLElement): boolean {
  return element.checkVisibility()
}

/** Unfolds an element and its ancestors. */
export function unfold(element: HTMLElement): void {
  for (let part: Element | null = element; part; part = part.parentElement) {
    if (part instanceof HTMLDetailsElement) part.open = true
  }
  const own = first(':scope > details', element)
  if (own instanceof HTMLDetailsElement) own.open = true
}
