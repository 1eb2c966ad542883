/** `coldboot templates export` and `import`: move templates from one cache to another. */
import { exportTemplates, importTemplates, templateStore } from '@coldboot/core/internal'
import { UsageError } from './arguments.ts'

/**
 * Writes templates to the standard output.
 * @param keys @default all that are not damaged
 * @throws UsageError when the output is a terminal
 */
export async function writeTemplates(keys?: readonly string[]): Promise<string> {
  if (process.stdout.isTTY)
    throw new UsageError('`templates export` writes an archive to the standard output: redirect it to a file, `> FILE`')
  await exportTemplates(await templateStore(), keys, process.stdout)
  return ''
}

/** Reads templates from the standard input. @returns the text to print */
export async function readTemplates(): Promise<string> {
  if (process.stdin.isTTY)
    throw new UsageError('`templates import` reads an archive from the standard input: redirect a file to it, `< FILE`')
  const { added, misfits } = await importTemplates(await templateStore(), process.stdin)
  const left = misfits.map((key) => `${key} was not added: this cache has another template below it`)
  return [...added, ...left, `${added.length} template${added.length === 1 ? '' : 's'} added`].join('\n')
}
