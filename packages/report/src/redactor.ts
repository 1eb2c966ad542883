/** Removes secrets from texts, JSON values and streams. */
import type { LogFilter } from '@coldboot/core'
import { RedactedStream } from './redacted-stream.ts'

/** Replacement of a secret. */
export const REDACTED = '[redacted]'

/** The secrets of a project. */
export class Redactor {
  readonly #texts: readonly string[]
  readonly #expressions: readonly RegExp[]
  readonly #any: RegExp | undefined

  /** @param secrets strings, and regular expressions, which match within one line; empty strings are ignored */
  constructor(secrets: readonly (string | RegExp)[]) {
    // The longest first, because a shorter one may be the start of a longer one.
    const texts = secrets.filter((secret): secret is string => typeof secret === 'string' && secret !== '')
    this.#texts = [...new Set(texts.flatMap(forms))].sort((a, b) => b.length - a.length)
    this.#expressions = secrets.filter((secret) => secret instanceof RegExp).map(everywhere)
    this.#any = anyOf(this.#texts)
  }

  /** Whether there are any secrets. */
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

  /** Copies a JSON value and redacts its strings. */
  value(value: unknown): unknown {
    if (!this.active) return value
    if (typeof value === 'string') return this.text(value)
    if (Array.isArray(value)) return value.map((one) => this.value(one))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, this.value(part)]))
  }

  /** Creates a filter for the output of one console. */
  stream(): LogFilter {
    const texts = this.#texts.map((text) => Buffer.from(text).toString('latin1'))
    const line = this.#expressions.length === 0 ? undefined : (text: string) => this.#line(text)
    return new RedactedStream({ texts, any: anyOf(texts), line, replacement: REDACTED })
  }

  /** Creates a filter for console input. Strings are found across several inputs, regular expressions within one. */
  typed(): (text: string) => string {
    const texts = this.#texts.map((text) => Buffer.from(text).toString('latin1'))
    const stream = new RedactedStream({ texts, any: anyOf(texts), line: undefined, replacement: REDACTED })
    return (text) => this.text(Buffer.from(stream.push(Buffer.from(text))).toString())
  }

  #line(line: string): string {
    return this.#expressions.reduce((text, expression) => text.replace(expression, REDACTED), line)
  }
}

/** A text in plain form, in JSON, in JSON within JSON, and quoted for a shell. */
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
