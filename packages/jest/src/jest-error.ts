/** An error of a test as Jest keeps it: not yet reported, so that what is changed here is what every reporter shows. */
import { inspect } from 'node:util'
import { framesOf, type ReportedError, userFrames } from '@coldboot/runner'
import type { Circus } from '@jest/types'

/** What Jest calls the function around a matcher of ours. */
const MATCHER_CALL = '__EXTERNAL_MATCHER_TRAP__'

/** An error that can be changed: Jest prints the stack, and takes the message from there. */
export class JestError implements ReportedError {
  /** The error itself; what was thrown and is none is made one. */
  readonly original: { message?: unknown; stack?: unknown; name?: unknown; cause?: unknown }

  constructor(error: Circus.TestError) {
    const [thrown, place] = Array.isArray(error) ? error : [error, undefined]
    this.original = isErrorLike(thrown) ? thrown : madeFrom(thrown, place)
  }

  get message(): string {
    const { message } = this.original
    return typeof message === 'string' ? message : ''
  }

  set message(text: string) {
    const frames = this.#frames()
    this.original.message = text
    if (typeof this.original.stack === 'string') this.stack = [text, ...frames].join('\n')
  }

  get stack(): string {
    return [this.message, ...this.#frames()].join('\n')
  }

  /** Without the error's name, which is added. */
  set stack(text: string) {
    const { name } = this.original
    this.original.stack = typeof name === 'string' && name !== 'Error' ? `${name}: ${text}` : text
  }

  /** Leaves out the frames that say nothing: of this project, which calls every test, and of Jest's way into a matcher. */
  hideInner(): void {
    if (typeof this.original.stack !== 'string') return
    const frames = userFrames(this.#frames().join('\n')).filter((frame) => !frame.includes(MATCHER_CALL))
    this.stack = [this.message, ...frames].join('\n')
  }

  get code(): unknown {
    return Reflect.get(this.original, 'code')
  }

  get shortMessage(): unknown {
    return Reflect.get(this.original, 'shortMessage')
  }

  get cause(): unknown {
    return this.original.cause
  }

  set cause(value: unknown) {
    this.original.cause = value
  }

  #frames(): readonly string[] {
    const { stack } = this.original
    if (typeof stack !== 'string') return []
    // A message may have lines that look like frames: a kernel's, or another error's.
    const start = stack.indexOf(this.message)
    return framesOf(start < 0 ? stack : stack.slice(start + this.message.length))
  }
}

function isErrorLike(value: unknown): value is JestError['original'] {
  return typeof value === 'object' && value !== null && ('stack' in value || 'message' in value)
}

function madeFrom(thrown: unknown, place: unknown): Error {
  const error = new Error(`thrown: ${typeof thrown === 'string' ? JSON.stringify(thrown) : inspect(thrown)}`)
  const stack: unknown = isErrorLike(place) ? place.stack : undefined
  error.stack = [error.message, ...framesOf(typeof stack === 'string' ? stack : undefined)].join('\n')
  return error
}
