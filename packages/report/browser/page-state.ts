/** State of the page, stored in the hash of its URL so that links contain it. */

/** Search, filters, and the shown test and time. */
export interface PageState {
  readonly search: string
  /** Statuses to show; all if empty. */
  readonly statuses: readonly string[]
  /** Title of a property of machines → value to show. */
  readonly facets: Readonly<Record<string, string>>
  /** Id of the test that is shown. */
  readonly test: string | undefined
  /** Index of a replay in the test, and its time in seconds. */
  readonly at: { readonly index: number; readonly time: number } | undefined
}

const EMPTY: PageState = { search: '', statuses: [], facets: {}, test: undefined, at: undefined }

/** Parses a hash: the id of a test, or parameters. */
export function parseHash(hash: string): PageState {
  const text = hash.replace(/^#/, '')
  const id = decoded(text)
  if (id !== '' && document.getElementById(id)) return { ...EMPTY, test: id }
  const { q, status, test, at, ...facets } = Object.fromEntries(new URLSearchParams(text))
  const [, index, time] = /^(\d+):(\d+(?:\.\d+)?)$/.exec(at ?? '') ?? []
  return {
    search: q ?? '',
    statuses: status?.split(',').filter(Boolean) ?? [],
    facets,
    test: test || undefined,
    at: index === undefined ? undefined : { index: Number(index), time: Number(time) },
  }
}

/** The hash of a state, with `#`; empty for the initial state. */
export function formatHash({ search, statuses, facets, test, at }: PageState): string {
  const parameters = new URLSearchParams({
    ...(search ? { q: search } : {}),
    ...(statuses.length > 0 ? { status: statuses.join(',') } : {}),
    ...facets,
    ...(test === undefined ? {} : { test }),
    ...(test === undefined || at === undefined ? {} : { at: `${at.index}:${at.time.toFixed(2)}` }),
  })
  // These characters are allowed in a hash, and make it readable.
  const text = parameters.toString().replace(/%(?:2F|3A|2C|40)/g, decodeURIComponent)
  return text && `#${text}`
}

let state: PageState = EMPTY

/** The state of the page. */
export function currentState(): PageState {
  return state
}

/** Takes the state from the URL. */
export function loadState(): PageState {
  state = parseHash(location.hash)
  return state
}

/** Changes the state and the URL. @param isStep whether the browser can go back to the state before */
export function changeState(change: Partial<PageState>, isStep = false): PageState {
  state = { ...state, ...change }
  const url = `${location.pathname}${location.search}${formatHash(state)}`
  if (isStep) history.pushState(null, '', url)
  else history.replaceState(null, '', url)
  return state
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
