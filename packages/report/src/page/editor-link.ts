/** Links that open a source line in an editor. */
import { pathToFileURL } from 'node:url'
import { OptionError } from '@coldboot/core'

const jetBrains = (name: string): string => `${name}://open?file={file}&line={line}&column={column}`
const codeLike = (name: string): string => `${name}://file{file}:{line}:{column}`

/** URL templates of editors by the name of their command. */
const EDITORS: Readonly<Record<string, string>> = {
  code: codeLike('vscode'),
  'code-insiders': codeLike('vscode-insiders'),
  codium: codeLike('vscodium'),
  cursor: codeLike('cursor'),
  windsurf: codeLike('windsurf'),
  zed: codeLike('zed'),
  idea: jetBrains('idea'),
  webstorm: jetBrains('webstorm'),
  phpstorm: jetBrains('phpstorm'),
  pycharm: jetBrains('pycharm'),
  subl: 'subl://open?url=file://{file}&line={line}&column={column}',
  mate: 'txmt://open?url=file://{file}&line={line}&column={column}',
}

/** Settings that determine the editor. */
export interface EditorChoice {
  /** COLDBOOT_EDITOR: the command of an editor, `none`, or a link with `{file}`. */
  readonly asked: string | undefined
  /** LAUNCH_EDITOR, which Vite and Vitest read: the command of an editor, or its path. */
  readonly launched: string | undefined
  /** Whether the page is probably read on another host, which does not have the files. */
  readonly isRemote: boolean
}

/**
 * Returns the URL template of the editor, with `{file}`, `{line}` and `{column}`; undefined for no links. An unknown LAUNCH_EDITOR is
 * ignored, because not every editor has links.
 * @throws OptionError `INVALID_OPTION` for an unknown COLDBOOT_EDITOR
 */
export function editorLink({ asked, launched, isRemote }: EditorChoice): string | undefined {
  if (asked === 'none') return undefined
  if (asked !== undefined) {
    const known = Object.hasOwn(EDITORS, asked) ? EDITORS[asked] : undefined
    if (known !== undefined) return known
    if (/^(?!javascript:|data:)[a-z][a-z\d+.-]*:.*\{file\}/i.test(asked)) return asked
    throw new OptionError('INVALID_OPTION', `COLDBOOT_EDITOR is "${asked}"`, {
      hint: `Set it to one of ${Object.keys(EDITORS).join(', ')}, none, or to a link such as ${EDITORS['code']}.`,
    })
  }
  const name = launched?.replace(/^.*[\\/]|\.(?:exe|cmd|bat|sh)$/g, '') ?? 'code'
  if (isRemote) return undefined
  return Object.hasOwn(EDITORS, name) ? EDITORS[name] : EDITORS['code']
}

/** Fills in the URL template of an editor. @param file absolute path */
export function linkTo(link: string, file: string, line: number, column = 1): string {
  // Characters that separate the parameters of some links are not encoded in a path.
  const path = pathToFileURL(file).pathname.replace(/[&+=;,'()]/g, (character) => {
    return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
  const values: Readonly<Record<string, string>> = { file: path, line: String(line), column: String(column) }
  return link.replace(/\{(file|line|column)\}/g, (_, name: string) => values[name] ?? '')
}
