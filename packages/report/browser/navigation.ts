/** Moves between the tests of the page. The current test has the focus. */
import { all, unfold } from './elements.ts'
import { changeState, currentState, type PageState } from './page-state.ts'
import { workbenchOf } from './workbenches.ts'

/** The test that has the focus or contains it, else the one of the URL. */
export function currentTest(): HTMLElement | undefined {
  const focused = document.activeElement?.closest<HTMLElement>('.item')
  if (focused) return focused
  const { test } = currentState()
  return (test === undefined ? undefined : document.getElementById(test)) ?? undefined
}

/** Moves to the next or previous test that matches a selector and is not filtered out. */
export function moveBy(direction: 1 | -1, selector = '.item'): void {
  const tests = all('.item').filter((test) => !test.hidden && !test.closest('[hidden]'))
  const current = currentTest()
  const index = current ? tests.indexOf(current) : -1
  const rest = direction > 0 ? tests.slice(index + 1) : tests.slice(0, Math.max(index, 0)).reverse()
  const next = rest.find((test) => test.matches(selector))
  if (next) goTo(next, selector !== '.item')
}

/** Folds or unfolds the current test. */
export function toggleCurrent(): void {
  const details = currentTest()?.querySelector(':scope > details')
  if (details instanceof HTMLDetailsElement) details.open = !details.open
}

/** Shows the test and the time of a state. */
export function showTest({ test, at }: PageState): void {
  const element = test === undefined ? null : document.getElementById(test)
  if (!element) return
  unfold(element)
  element.scrollIntoView({ block: 'start', behavior: 'instant' })
  element.focus({ preventScroll: true })
  const machine = at && all('.workbench', element)[at.index]
  if (!machine) return
  unfold(machine)
  workbenchOf(machine).seek(at.time)
}

/** Moves to a test, so that the browser can go back. @param isUnfolded whether its content is shown */
export function goTo(test: HTMLElement, isUnfolded: boolean): void {
  changeState({ test: test.id, at: undefined }, true)
  if (isUnfolded) unfold(test)
  else if (test.parentElement) unfold(test.parentElement)
  test.focus({ preventScroll: true })
  test.scrollIntoView({ block: isUnfolded ? 'start' : 'nearest', behavior: 'instant' })
}
