/** The search and the filters of the page, which show and change its state. */
import { all, first } from './elements.ts'
import { applyFilter } from './filter.ts'
import { changeState, currentState, type PageState } from './page-state.ts'

/** Applies the state of the page to the tests and to the controls. */
export function showState(state: PageState): void {
  const search = searchField()
  if (search && search.value !== state.search) search.value = state.search
  for (const button of all('[data-filter]')) {
    button.setAttribute('aria-pressed', String(state.statuses.includes(button.dataset['filter'] ?? '')))
  }
  for (const select of all('[data-facet]')) {
    if (select instanceof HTMLSelectElement) select.value = state.facets[select.dataset['facet'] ?? ''] ?? ''
  }
  applyFilter(state)
}

/** Makes the controls work. */
export function watchToolbar(): void {
  searchField()?.addEventListener('input', () => showState(changeState({ search: searchField()?.value ?? '' })))
  for (const button of all('[data-filter]')) button.addEventListener('click', () => toggleStatus(button))
  for (const select of all('[data-facet]')) {
    select.addEventListener('change', () => {
      const facets = all('[data-facet]').flatMap((one) => {
        const { facet } = one.dataset
        return one instanceof HTMLSelectElement && facet && one.value ? [[facet, one.value] as const] : []
      })
      showState(changeState({ facets: Object.fromEntries(facets) }))
    })
  }
}

/** Moves to the search. */
export function focusSearch(): void {
  searchField()?.focus()
  searchField()?.select()
}

/** Shows all tests again. */
export function clearFilter(): void {
  showState(changeState({ search: '', statuses: [], facets: {} }))
}

function toggleStatus(button: HTMLElement): void {
  const status = button.dataset['filter'] ?? ''
  const { statuses } = currentState()
  const others = statuses.filter((one) => one !== status)
  showState(changeState({ statuses: others.length < statuses.length ? others : [...statuses, status] }))
}

function searchField(): HTMLInputElement | undefined {
  const element = first('#search')
  return element instanceof HTMLInputElement ? element : undefined
}
