/** Entry point of the page's script: connects the controls, and shows the state of the URL. */
import { copyFor } from './copy.ts'
import { all, unfold } from './elements.ts'
import { goTo, showTest } from './navigation.ts'
import { loadState } from './page-state.ts'
import { showShortcuts, watchKeys } from './shortcuts.ts'
import { showState, watchToolbar } from './toolbar.ts'
import { noteTime, watchWorkbenches, workbenchOf } from './workbenches.ts'

/** Handles clicks on buttons. */
function onClick(event: MouseEvent): void {
  const target = event.target instanceof Element ? event.target : null
  const link = target?.closest<HTMLElement>('a[data-test]')
  const test = link ? document.getElementById(link.dataset['test'] ?? '') : null
  if (test) {
    event.preventDefault()
    goTo(test, true)
    return
  }
  const button = target?.closest('button')
  if (button?.matches('.copy')) return void copyFor(button)
  if (button?.dataset['act'] === 'help') return showShortcuts()
  if (button?.matches('.hit')) return followHit(button)
  const element = target?.closest<HTMLElement>('.workbench')
  if (element) onWorkbench(element, target)
}

function onWorkbench(element: HTMLElement, target: Element | null): void {
  const workbench = workbenchOf(element)
  const { act } = target?.closest<HTMLElement>('[data-act]')?.dataset ?? {}
  const tab = target?.closest('[role="tab"]')
  const timed = target?.closest<HTMLElement>('.step, .console-text [data-time]')
  if (act !== undefined) workbench.act(act)
  else if (tab) workbench.act(tab.id.endsWith('-text') ? 'text' : 'replay')
  else if (target?.closest('.replay')) workbench.act('play')
  else if (timed && !target?.closest('a, summary, .what pre') && document.getSelection()?.isCollapsed !== false) {
    workbench.seek(Number(timed.dataset['time']))
  } else return
  noteTime(workbench)
}

/** Shows a line of a console that was found by a search. */
function followHit(button: HTMLElement): void {
  const test = button.closest<HTMLElement>('.item')
  const element = test && all('.workbench', test)[Number(button.dataset['hit'])]
  if (!element) return
  unfold(element)
  const workbench = workbenchOf(element)
  workbench.act('text')
  if (button.dataset['time'] !== '') workbench.seek(Number(button.dataset['time']))
  noteTime(workbench)
  element.scrollIntoView({ block: 'nearest', behavior: 'instant' })
}

/** Moves between tabs by arrow keys. */
function onTabKey(event: KeyboardEvent): void {
  const tab = event.target instanceof Element ? event.target.closest('[role="tab"]') : null
  if (!tab || !['ArrowLeft', 'ArrowRight'].includes(event.key)) return
  const other = all('[role="tab"]', tab.parentElement ?? document).find((one) => one !== tab)
  other?.click()
  other?.focus()
}

function showUrl(): void {
  const state = loadState()
  showState(state)
  showTest(state)
}

document.documentElement.classList.add('with-script')
document.addEventListener('click', onClick)
document.addEventListener('keydown', onTabKey)
// A hidden part has no current step: it is marked when the part is shown.
document.addEventListener('change', (event) => {
  const element = event.target instanceof Element ? event.target.closest<HTMLElement>('.show-event') : null
  const workbench = element?.closest<HTMLElement>('.workbench')
  if (workbench) workbenchOf(workbench).refresh()
})
addEventListener('hashchange', showUrl)
addEventListener('popstate', showUrl)
watchToolbar()
watchKeys()
watchWorkbenches()
showUrl()
