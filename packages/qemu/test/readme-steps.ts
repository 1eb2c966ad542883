/** The steps of a README, for a test that follows them literally. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** A step: a command to type, or a file to write. */
export type ReadmeStep =
  | { readonly kind: 'command'; readonly words: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly text: string }

/**
 * The steps of the part of a page between a heading and the next one. A code block whose first line is a comment with a path
 * is a file.
 *
 * @param page relative to the workspace
 * @param heading its whole line
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
