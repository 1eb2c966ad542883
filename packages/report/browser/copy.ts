/** Copies texts to the clipboard. */
import { currentState, formatHash } from './page-state.ts'

/** Time for which a button shows "Copied", milliseconds. */
const COPIED_MS = 2_000

/** Copies the text that the attributes of a button name. */
export async function copyFor(button: HTMLElement): Promise<void> {
  const { copy, copyFrom, copyLink } = button.dataset
  const element = copyFrom === undefined ? null : document.getElementById(copyFrom)
  const text = copyLink === undefined ? (copy ?? element?.textContent ?? '').trim() : linkTo(copyLink)
  try {
    await navigator.clipboard.writeText(text)
    say(button, 'Copied')
  } catch {
    // Clipboard access may be denied, for example for a file.
    if (element) document.getSelection()?.selectAllChildren(element)
    else if (copyBySelection(text)) say(button, 'Copied')
    else say(button, text)
  }
}

/** Returns a link to a test with the search and filters, and with the time of the replay if the test is the current one. */
function linkTo(test: string): string {
  const state = currentState()
  const at = state.test === test ? state.at : undefined
  return `${location.href.split('#', 1)[0]}${formatHash({ ...state, test, at })}`
}

function say(button: HTMLElement, text: string): void {
  const label = (button.dataset['label'] ??= button.textContent ?? '')
  button.textContent = text
  setTimeout(() => {
    button.textContent = label
  }, COPIED_MS)
}

/** Copies a text in browsers without the clipboard API. @returns whether the text was copied */
function copyBySelection(text: string): boolean {
  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  const isCopied = document.execCommand('copy')
  area.remove()
  return isCopied
}
