/** Keyboard shortcuts of the page, and the list of them. */
import { first, isShown } from './elements.ts'
import { currentTest, moveBy, toggleCurrent } from './navigation.ts'
import { clearFilter, focusSearch } from './toolbar.ts'
import type { Workbench } from './workbench.ts'
import { activeWorkbench, noteTime } from './workbenches.ts'

interface Shortcut {
  readonly keys: readonly string[]
  readonly text: string
  readonly run: (key: string) => void
}

const SHORTCUTS: readonly Shortcut[] = [
  { keys: ['j'], text: 'next test', run: () => moveBy(1) },
  { keys: ['k'], text: 'previous test', run: () => moveBy(-1) },
  { keys: ['n'], text: 'next failure', run: () => moveBy(1, '.failed') },
  { keys: ['p'], text: 'previous failure', run: () => moveBy(-1, '.failed') },
  { keys: ['o', 'Enter'], text: 'fold or unfold the test', run: toggleCurrent },
  { keys: ['/'], text: 'search', run: focusSearch },
  { keys: ['Escape'], text: 'clear the search and the filters', run: clearFilter },
  { keys: [' '], text: 'play or pause the replay', run: () => onReplay((work) => work.act('play')) },
  { keys: ['ArrowLeft', 'ArrowRight'], text: 'move the replay', run: (key) => onReplay((work) => work.move(key)) },
  { keys: [','], text: 'previous step', run: () => onReplay((work) => work.step(-1)) },
  { keys: ['.'], text: 'next step', run: () => onReplay((work) => work.step(1)) },
  { keys: ['f'], text: 'to the failure', run: () => onReplay((work) => work.act('failure')) },
  { keys: ['Home'], text: 'to the start of the replay', run: () => onReplay((work) => work.seek(0)) },
  { keys: ['End'], text: 'to the end of the replay', run: () => onReplay((work) => work.seek(Infinity)) },
  { keys: ['r'], text: 'the console as a replay', run: () => onReplay((work) => work.act('replay')) },
  { keys: ['t'], text: 'the console as text', run: () => onReplay((work) => work.act('text')) },
  { keys: ['e'], text: 'open the test in the editor', run: () => press('e') },
  { keys: ['c'], text: 'copy the rerun command', run: () => press('c') },
  { keys: ['l'], text: 'copy a link to this moment', run: () => press('l') },
  { keys: ['?'], text: 'this list', run: showShortcuts },
]

/** Names of keys in the list. */
const NAMES: Readonly<Record<string, string>> = { ' ': 'Space', ArrowLeft: '←', ArrowRight: '→', Escape: 'Esc' }

/** Elements that handle keys themselves. */
const OWN_KEYS = 'input, select, textarea, dialog, [role="tab"]'
/** Elements that Space and Enter activate. */
const PRESSED = 'a, button, summary'
/** Keys that scroll the page or the focused element, unless they control a replay. */
const SCROLLING = ['Home', 'End', 'ArrowLeft', 'ArrowRight', ' ']
const SCROLLED = 'pre, ol'

/** Makes the shortcuts work. */
export function watchKeys(): void {
  document.addEventListener('keydown', (event) => {
    const { key, target } = event
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const shortcut = SHORTCUTS.find(({ keys }) => keys.includes(key))
    if (!shortcut || !(target instanceof Element)) return
    if (target.matches('#search') && key === 'Escape') {
      if (target instanceof HTMLElement) target.blur()
    } else if (target.closest(OWN_KEYS)) return
    if ((key === ' ' || key === 'Enter') && target.closest(PRESSED)) return
    if (SCROLLING.includes(key) && (target.closest(SCROLLED) || !activeWorkbench(currentTest()))) return
    event.preventDefault()
    shortcut.run(key)
  })
}

/** Shows the list of shortcuts. */
export function showShortcuts(): void {
  const dialog = first('#shortcuts') ?? createList()
  if (dialog instanceof HTMLDialogElement && !dialog.open) dialog.showModal()
}

function createList(): HTMLElement {
  const dialog = document.createElement('dialog')
  dialog.id = 'shortcuts'
  dialog.setAttribute('aria-label', 'Keyboard shortcuts')
  const title = document.createElement('h2')
  title.textContent = 'Keyboard shortcuts'
  const list = document.createElement('dl')
  for (const { keys, text } of SHORTCUTS) {
    const row = document.createElement('div')
    const term = document.createElement('dt')
    for (const key of keys) {
      const shown = document.createElement('kbd')
      shown.textContent = NAMES[key] ?? key
      term.append(shown, ' ')
    }
    const description = document.createElement('dd')
    description.textContent = text
    row.append(term, description)
    list.append(row)
  }
  const close = document.createElement('button')
  close.type = 'button'
  close.textContent = 'Close'
  close.addEventListener('click', () => dialog.close())
  dialog.append(title, list, close)
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close())
  document.body.append(dialog)
  return dialog
}

/** Uses the replay of the current test. */
function onReplay(use: (workbench: Workbench) => void): void {
  const workbench = activeWorkbench(currentTest())
  if (!workbench) return
  use(workbench)
  noteTime(workbench)
}

/** Presses the button of the current test, or follows its link. */
function press(shortcut: string): void {
  const test = currentTest() ?? [...document.querySelectorAll<HTMLElement>('.test')].find(isShown)
  first(`[data-shortcut="${shortcut}"]`, test)?.click()
}
