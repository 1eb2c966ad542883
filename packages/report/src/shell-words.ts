/** Formats a command for a POSIX shell. Words of plain characters are not quoted. */
export function shellWords(words: readonly string[]): string {
  return words.map((word) => (/^[\w./@+=:-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ')
}
