/** Recognizes the header of user data: the first line, which tells cloud-init how to handle the data. */

/** The usual headers, for messages. */
export const USER_DATA_HEADERS = '`#cloud-config`, the `#!` of a script, `#include` or `## template: jinja`'

// INCLUSION_TYPES_MAP in cloudinit/handlers/__init__.py, and the first lines of MIME messages.
const HEADER =
  /^(?:#!|#(?:cloud-config(?:-archive|-jsonp)?|cloud-boothook|include(?:-once)?|part-handler)(?![\w-])|(?:content-type|mime-version):)/i
const TEMPLATE = /^## template:\s*jinja(?![\w-]).*\n/i

/** Whether cloud-init recognizes the text. A Jinja template must have another header after its first line. */
export function isUserData(text: string): boolean {
  return text === '' || HEADER.test(text.trimStart().replace(TEMPLATE, '').trimStart())
}
