/** Extracts the steps of a README for a test that executes them literally. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A step: a command to type, or a file to write. */
export type ReadmeStep =
  | { readonly kind: 'command'; readonly words: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }

/**
 * Returns the steps between a heading of a page and the next heading. A code block whose first line is a comment with a path is
 * a file; other lines of shell blocks are commands.
 *
 * @param page relative to the workspace
 * @param heading the complete line of the heading
 */
export function readmeSteps(page: string, heading: string): readonly ReadmeStep[] {
  const text = readFileSync(fileURLToPath(new URL(`../../../${page}`, import.meta.url)), 'utf8')
  const [, section = ''] = text.split(`${heading}\n`)
  const [part = ''] = section.split(/^#/m)
  return [...part.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].flatMap(([, language = '', code = '']) =>
    language === 'sh' ? commandsOf(code) : fileOf(code),
  )
}

function commandsOf(code: string): readonly ReadmeStep[] {
  const lines = code.split('\n').map((line) => line.replace(/\s+#.*/, '').trim())
  return lines.filter((line) => line !== '').map((line) => ({ kind: 'command', words: line.split(' ') }))
}

function fileOf(code: string): readonly ReadmeStep[] {
  const [, path, text = ''] = /^\/\/ (\S+\.\w+)\n([\s\S]*)$/.exec(code) ?? []
  return path === undefined ? [] : [{ kind: 'file', path, text }]
}
