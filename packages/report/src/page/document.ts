/**
 * Builds an HTML document with a content security policy that allows its own scripts and styles by hash and forbids
 * loading anything. Even guest output that escaped its element could not run.
 */
import { createHash } from 'node:crypto'

/** The parts of a document. */
export interface DocumentParts {
  readonly title: string
  /** HTML. */
  readonly body: string
  readonly styles: readonly string[]
  /** Run in order, before the module. */
  readonly scripts: readonly string[]
  readonly module: string
  /** Data for the scripts: element id → JSON value. */
  readonly data: ReadonlyMap<string, unknown>
}

/** @returns the document's HTML */
export function documentOf(parts: DocumentParts): string {
  const styles = parts.styles.map((style) => style.replace(/<(?=\/style)/gi, '\\3c '))
  const scripts = [...parts.scripts, parts.module].map((script) => script.replace(/<(?=\/script|!--)/gi, '\\x3c'))
  const policy = [
    `default-src 'none'`,
    // The terminal of the player is WebAssembly.
    `script-src ${scripts.map(hashOf).join(' ')} 'wasm-unsafe-eval'`,
    `style-src ${styles.map(hashOf).join(' ')}`,
    'img-src data:',
    `base-uri 'none'`,
    `form-action 'none'`,
  ].join('; ')
  const data = [...parts.data].map(
    ([id, value]) => `<script type="application/json" id="${id}">${safeJson(value)}</script>`,
  )
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="referrer" content="no-referrer">',
    `<title>${parts.title}</title>`,
    ...styles.map((style) => `<style>${style}</style>`),
    '</head>',
    '<body>',
    parts.body,
    ...data,
    ...scripts.slice(0, -1).map((script) => `<script>${script}</script>`),
    ...scripts.slice(-1).map((script) => `<script type="module">${script}</script>`),
    '</body>',
    '</html>',
    '',
  ].join('\n')
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}

/** JSON that cannot end its element. */
function safeJson(value: unknown): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c')
}
