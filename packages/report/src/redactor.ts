/** Takes secrets out of what is kept of a test: of texts, of JSON values, and of bytes that come in pieces. */
import type { LogFilter } from '@coldboot/core'
import { RedactedStream } from './redacted-stream.ts'

/** What stands in place of a secret. */
export const REDACTED = '[redacted]'

/** Knows the secrets of a project. */
export class Redactor {
  readonly #texts: readonly string[]
  readonly #expressions: readonly RegExp[]
  readonly #any: RegExp | undefined

  /** @param secrets texts, and regular expressions, which see one line at a time; empty texts are passed over */
  constructor(secrets: readonly (string | RegExp)[]) {
    // The longest first: one that begins another one would leave the rest of it.
    const texts = secrets.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
    this.#texts = [...new Set(texts.flatMap(forms))].sort((a, b) => b.length - a.length)
    this.#expressions = secrets.filter((secret) => secret instanceof RegExp).map(everywhere)
    this.#any = anyOf(this.#texts)
  }

  /** Whether there is anything to look for. */
  get active(): boolean {
    return this.#any !== undefined || this.#expressions.length > 0
  }

  text(text: string): string {
    const plain = this.#any ? text.replace(this.#any, REDACTED) : text
    if (this.#expressions.length === 0) return plain
    return plain
      .split('\n')
      .map((line) => this.#line(line))
      .join('\n')
  }

  /** A copy of a JSON value with every text in it redacted. */
  value(value: unknown): unknown {
    if (!this.active) return value
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((one) => this.value(one))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, this.value(part)]))
  }

  /** For the bytes of one console. */
  stream(): LogFilter {
    const texts = this.#texts.map((text) => Buffer.from(text).toString('latin1'))
    const line = this.#expressions.length === 0 ? undefined : (text: string) => this.#line(text)
    return new RedactedStream({ texts, any: anyOf(texts), line, replacement: REDACTED })
  }

  /** For what is typed, send by send: texts are found across several of them, regular expressions within one. */
  typed(): (text: string) => string {
    const texts = this.#texts.map((text) => Buffer.from(text).toString('latin1'))
    const stream = new RedactedStream({ texts, any: anyOf(texts), line: undefined, replacement: REDACTED })
    return (text) => this.text(Buffer.from(stream.push(Buffer.from(text))).toString())
  }

  #line(line: string): string {
    return this.#expressions.reduce((text, expression) => text.replace(expression, REDACTED), line)
  }
}

/** A text as it is, as messages and JSON show it, and as a shell quotes it. */
function forms(text: string): readonly string[] {
  const json = inJson(text)
  return [text, json, inJson(json), text.replaceAll("'", "'\\''")]
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1)
}

function anyOf(texts: readonly string[]): RegExp | undefined {
  return texts.length === 0 ? undefined : new RegExp(texts.map(escaped).join('|'), 'g')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function everywhere(expression: RegExp): RegExp {
  return new RegExp(expression.source, `${expression.flags.replace(/[gy]/g, '')}g`)
}
