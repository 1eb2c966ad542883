/** Captures the caller's stack, because timer callbacks have none. */
import { sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { types } from 'node:util'

/** Folder that contains this package and its siblings: `packages`, or the scope in node_modules. */
const PACKAGES = fileURLToPath(new URL('../../..', import.meta.url))

/** Call site of a public method. The stack is formatted only on the first access. */
export class CallSite {
  readonly #holder: { readonly stack?: string } = {}

  constructor() {
    Error.captureStackTrace(this.#holder)
  }

  /** The frames, one per line, starting with the first that belongs neither to this project nor to a library. */
  get frames(): string {
    const lines = (this.#holder.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
    const first = lines.findIndex((line) => !isInternal(line))
    return lines.slice(Math.max(0, first)).join('\n')
  }

  /** `file:line:column` of the first frame. */
  get location(): string | undefined {
    const [line = ''] = this.frames.split('\n')
    return isInternal(line) ? undefined : placeIn(line)
  }

  /**
   * Adds the frames of the call site to an error whose stack lacks the user's line. A stack ends at a promise that
   * several callers await, and at a promise of another realm, such as that of Jest's tests.
   */
  complete(error: unknown): unknown {
    if (!types.isNativeError(error) || this.location === undefined) return error
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
