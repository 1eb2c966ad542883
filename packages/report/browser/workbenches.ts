/** All workbenches of the page, created when they are first visible or used, because a page may have a hundred. */
import { all } from './elements.ts'
import { changeState } from './page-state.ts'
import { Workbench } from './workbench.ts'

const known = new Map<HTMLElement, Workbench>()
let last: Workbench | undefined

/** The workbench of an element. */
export function workbenchOf(element: HTMLElement): Workbench {
  const made = known.get(element) ?? new Workbench(element, noteTime)
  known.set(element, made)
  return made
}

/** Remembers the time of a workbench in the URL, after the user has moved it. */
export function noteTime(workbench: Workbench): void {
  last = workbench
  const test = workbench.element.closest<HTMLElement>('.item')
  if (!test) return
  const index = all('.workbench', test).indexOf(workbench.element)
  changeState({ test: test.id, at: { index, time: workbench.time } })
}

/** The workbench that keys move: the last one that was used, else the first visible one of a test. */
export function activeWorkbench(test: HTMLElement | undefined): Workbench | undefined {
  if (last && (!test || test.contains(last.element)) && last.element.checkVisibility()) return last
  const element = all('.workbench', test ?? document).find((one) => one.checkVisibility())
  return element && workbenchOf(element)
}

/** Creates workbenches when they scroll into view. */
export function watchWorkbenches(): void {
  const visible = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting || !(target instanceof HTMLElement)) continue
        visible.unobserve(target)
        workbenchOf(target)
      }
    },
    { rootMargin: '300px' },
  )
  for (const element of all('.workbench')) visible.observe(element)
}
