/** Where a wait was asked for: timers have no stack of interest, so it is taken at the call. */
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder that holds this package and its siblings: the project's own, or the scope in node_modules. */
const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url))

/** Taken at a call; the text of the stack is made only when it is read. */
export class CallSite {
  readonly #holder: { readonly stack?: string } = {}

  constructor() {
    Error.captureStackTrace(this.#holder)
  }

  /** The frames, one a line, from the first that is neither ours nor a library's. */
  get frames(): string {
    const lines = (this.#holder.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    const first = lines.findIndex((line) => !isInternal(line))
    return lines.slice(Math.max(0, first)).join('\n')
  }

  /** `file:line:column` of the first of them. */
  get location(): string | undefined {
    const [line = ''] = this.frames.split('\n')
    return isInternal(line) ? undefined : placeIn(line)
  }

  /**
   * The same error, with these frames where its own have lost the user's line on the way: the stack of an error ends at a
   * promise that several wait for, and at one of another realm, as Jest's tests are.
   */
  complete(error: unknown): unknown {
    if (!(error instanceof Error) || this.location === undefined) return error
    const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    if (frames.every(isInternal)) error.stack = `${error.name}: ${error.message}\n${this.frames}`
    return error
  }
}

function placeIn(line: string): string | undefined {
  return /((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(line)?.[1]?.replace(/^file:\/\//, '')
}

function isInternal(line: string): boolean {
  const path = placeIn(line)
  if (path === undefined || path.startsWith('node:') || path.includes(`${sep}node_modules${sep}`)) return true
  const [, folder] = path.startsWith(PACKAGES) ? path.slice(PACKAGES.length).split(sep) : []
  return (folder === 'src' || folder === 'dist') && !/\.test\.\w+:/.test(path)
}
