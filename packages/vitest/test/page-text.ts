/** Reads the page of a run. */
import { join } from 'node:path'

/** Path of the page in a project. */
export const PAGE: string = join('.vitest', 'coldboot', 'index.html')

/** The texts of the elements of a page. @param pattern its first group is the content of an element */
export function textsOf(html: string, pattern: RegExp): readonly string[] {
  const plain = (text: string): string =>
    text
      .replace(/<[^>]*>/g, '')
      .replaceAll('&lt;', '<')
      .replaceAll('&quot;', '"')
  return [...html.matchAll(pattern)].map(([, text = '']) => plain(text).trim())
}

/** The titles of the tests that a page shows. */
export function headings(html: string): readonly string[] {
  return textsOf(html, /<summary><h3>(.*?)<\/h3>/gs)
}
