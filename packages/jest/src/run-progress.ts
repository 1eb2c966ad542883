/**
 * Shows activities that tests wait for, such as the boot of a template. In a terminal they are rows below the status of
 * Jest's reporter, elsewhere lines on standard error.
 */
import { createRequire } from 'node:module'
import {
  type Activity,
  activityRows,
  type ProgressDisplay,
  ProgressLog,
  type ProgressServer,
  serveProgress,
} from '@coldboot/runner/progress'

/** Shows the progress of the workers of a run, until it is closed. */
export function showProgress(): ProgressServer {
  const display = new RunProgress(findStatusPrinter())
  const server = serveProgress(display)
  return {
    board: server.board,
    close() {
      server.close()
      display.close()
    },
  }
}

/** Part of Jest's default reporter. It is not public, so lines are printed if it is missing. */
interface StatusPrinter {
  _clear: string
  readonly _globalConfig: { readonly useStderr: boolean }
  readonly _out: (text: string) => unknown
  readonly _err: (text: string) => unknown
  __clearStatus(): void
  __printStatus: (this: StatusPrinter) => void
}

/** Erases a row, and moves the cursor to the previous one. */
const CLEAR_ROW = '\r\u001B[K\u001B[1A'
const NEW_ROW = '\n\r\u001B[K'

class RunProgress implements ProgressDisplay {
  readonly #log = new ProgressLog((line) => process.stderr.write(line))
  readonly #prototype: StatusPrinter | undefined
  readonly #printStatus: StatusPrinter['__printStatus'] | undefined
  #reporter: StatusPrinter | undefined
  #rows: readonly string[] = []

  /** @param prototype prototype of the default reporter; undefined if it shows no status */
  constructor(prototype: StatusPrinter | undefined) {
    this.#prototype = prototype
    if (prototype === undefined) return
    this.#printStatus = prototype.__printStatus
    const print = (reporter: StatusPrinter): void => this.#print(reporter)
    prototype.__printStatus = function printStatus(): void {
      print(this)
    }
  }

  refresh(activities: readonly Activity[]): void {
    const reporter = this.#reporter
    if (reporter === undefined) return this.#log.refresh(activities)
    const before = this.#rows.length
    this.#rows = activityRows(activities, process.stdout.columns)
    if (before + this.#rows.length === 0) return
    reporter.__clearStatus()
    reporter.__printStatus()
  }

  ended(activity: Activity): void {
    if (this.#reporter === undefined) this.#log.ended(activity)
  }

  close(): void {
    if (this.#prototype && this.#printStatus) this.#prototype.__printStatus = this.#printStatus
    this.#rows = []
    this.#reporter = undefined
  }

  #print(reporter: StatusPrinter): void {
    this.#reporter = reporter
    this.#printStatus?.call(reporter)
    if (this.#rows.length === 0) return
    const { useStderr } = reporter._globalConfig
    const text = this.#rows.map((row) => `${NEW_ROW}${row}`).join('')
    if (useStderr) reporter._err(text)
    else reporter._out(text)
    reporter._clear = CLEAR_ROW.repeat(this.#rows.length) + reporter._clear
  }
}

function findStatusPrinter(): StatusPrinter | undefined {
  try {
    const jest = createRequire(createRequire(import.meta.url).resolve('jest'))
    const core = createRequire(jest.resolve('@jest/core'))
    const { isInteractive } = core('jest-util') as { readonly isInteractive?: unknown }
    const { DefaultReporter } = core('@jest/reporters') as {
      readonly DefaultReporter?: { readonly prototype: unknown }
    }
    const prototype = DefaultReporter?.prototype
    return isInteractive === true && isStatusPrinter(prototype) ? prototype : undefined
  } catch {
    return undefined
  }
}

function isStatusPrinter(value: unknown): value is StatusPrinter {
  const { __clearStatus, __printStatus } = (value ?? {}) as Partial<StatusPrinter>
  return typeof __clearStatus === 'function' && typeof __printStatus === 'function'
}
