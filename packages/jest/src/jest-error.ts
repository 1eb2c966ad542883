/** Edits an error of a test before Jest passes it to its reporters. */
import { inspect } from 'node:util'
import { framesOf, type ReportedError, userFrames } from '@coldboot/runner'
import type { Circus } from '@jest/types'

/** Jest's name for the function that calls a matcher. */
const MATCHER_CALL = '__EXTERNAL_MATCHER_TRAP__'

/** The properties that a report may change. */
const EDITED = ['message', 'stack', 'cause'] as const

/** A mutable error. Keeps the stack consistent with the message, because Jest prints only the stack. */
export class JestError implements ReportedError {
  /** The thrown error, a copy of an error that cannot be changed, or a new error for another thrown value. */
  readonly original: { message?: unknown; stack?: unknown; name?: unknown; cause?: unknown }

  constructor(error: Circus.TestError) {
    const [thrown, place] = Array.isArray(error) ? error : [error, undefined]
    const made = isErrorLike(thrown) ? thrown : madeFrom(thrown, place)
    this.original = EDITED.every((key) => isEditable(made, key)) ? made : copyOf(made)
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

  /** Adds the name of the error to the text. */
  set stack(text: string) {
    const { name } = this.original
    this.original.stack = typeof name === 'string' && name !== 'Error' ? `${name}: ${text}` : text
  }

  /** Removes the frames of coldboot, which calls every test, and of Jest's call of a matcher. */
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
    // The message may contain lines that look like frames, for example of a kernel.
    const start = stack.indexOf(this.message)
    return framesOf(start < 0 ? stack : stack.slice(start + this.message.length))
  }
}

function isErrorLike(value: unknown): value is JestError['original'] {
  return typeof value === 'object' && value !== null && ('stack' in value || 'message' in value)
}

/** Whether a property can be set: not if the error is frozen, or if its class only has a getter. */
function isEditable(error: object, key: string): boolean {
  for (let holder: object | null = error; holder !== null; holder = Reflect.getPrototypeOf(holder)) {
    const found = Reflect.getOwnPropertyDescriptor(holder, key)
    if (found) return found.writable ?? found.set !== undefined
  }
  return Object.isExtensible(error)
}

function copyOf(error: object): Error {
  const copy = new Error()
  Reflect.setPrototypeOf(copy, Reflect.getPrototypeOf(error))
  for (const key of new Set([...Reflect.ownKeys(error), ...EDITED])) {
    if (!Reflect.has(error, key)) continue
    const enumerable = Object.prototype.propertyIsEnumerable.call(error, key)
    Reflect.defineProperty(copy, key, {
      value: Reflect.get(error, key),
      writable: true,
      configurable: true,
      enumerable,
    })
  }
  return copy
}

function madeFrom(thrown: unknown, place: unknown): Error {
  const error = new Error(`thrown: ${typeof thrown === 'string' ? JSON.stringify(thrown) : inspect(thrown)}`)
  const stack: unknown = isErrorLike(place) ? place.stack : undefined
  error.stack = [error.message, ...framesOf(typeof stack === 'string' ? stack : undefined)].join('\n')
  return error
}
