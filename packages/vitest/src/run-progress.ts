/**
 * Shows activities that tests wait for, such as the boot of a template. In a terminal they are rows below the summary of
 * Vitest's reporter, elsewhere lines on standard error.
 */
import {
  type Activity,
  activityRows,
  type ProgressDisplay,
  ProgressLog,
  serveProgress,
} from '@coldboot/runner/progress'
import type { Vitest } from 'vitest/node'

const shown = new WeakSet<Vitest>()

/** Shows the progress of the workers of a run, once per Vitest. */
export function showProgress(vitest: Vitest): void {
  if (shown.has(vitest)) return
  shown.add(vitest)
  const server = serveProgress(new RunProgress(vitest))
  vitest.onClose(() => server.close())
}

/** Part of the renderer of Vitest's reporters. It is not public, so lines are printed if it is missing. */
interface WindowRenderer {
  readonly options: { getWindow(): string[] }
  readonly finished?: boolean
  schedule(): void
}

class RunProgress implements ProgressDisplay {
  readonly #vitest: Vitest
  readonly #log = new ProgressLog((line) => process.stderr.write(line))
  readonly #extended = new WeakSet<WindowRenderer>()
  #rows: readonly string[] = []

  constructor(vitest: Vitest) {
    this.#vitest = vitest
  }

  refresh(activities: readonly Activity[]): void {
    const renderer = this.#renderer()
    if (renderer === undefined) return this.#log.refresh(activities)
    this.#rows = activityRows(activities, this.#vitest.logger.getColumns())
    renderer.schedule()
  }

  ended(activity: Activity): void {
    if (this.#renderer() === undefined) this.#log.ended(activity)
  }

  #renderer(): WindowRenderer | undefined {
    const reporters: unknown = Reflect.get(this.#vitest, 'reporters')
    const renderer = Array.isArray(reporters) ? reporters.map(rendererOf).find((it) => it !== undefined) : undefined
    if (renderer === undefined) return undefined
    if (!this.#extended.has(renderer)) {
      this.#extended.add(renderer)
      const { options } = renderer
      const getWindow = options.getWindow.bind(options)
      options.getWindow = () => (this.#rows.length === 0 ? getWindow() : [...getWindow(), ...this.#rows, ''])
    }
    return renderer
  }
}

/** The renderer is a property of the default reporter's summary, or of the dot reporter. */
function rendererOf(reporter: unknown): WindowRenderer | undefined {
  if (typeof reporter !== 'object' || reporter === null) return undefined
  const summary: unknown = Reflect.get(reporter, 'summary')
  const holder = typeof summary === 'object' && summary !== null ? summary : reporter
  const renderer: unknown = Reflect.get(holder, 'renderer')
  return isWindowRenderer(renderer) ? renderer : undefined
}

function isWindowRenderer(value: unknown): value is WindowRenderer {
  if (typeof value !== 'object' || value === null) return false
  const { options, schedule } = value as {
    readonly options?: { readonly getWindow?: unknown }
    readonly schedule?: unknown
  }
  return typeof schedule === 'function' && typeof options?.getWindow === 'function'
}
