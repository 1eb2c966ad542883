// @ts-check
/**
 * Phrases that the sources and pages of this repository avoid, with plainer alternatives. The lint rule `coldboot/plain-english`
 * checks comments, strings and test titles; `plain-english.test.ts` checks the pages.
 */

/** Files that contain the phrases or characters as data. */
const EXEMPT = [
  ...['plain-english.mjs', 'plain-english.test.ts', 'borders.test.ts'].map((name) => `scripts/lint/${name}`),
  'packages/core/src/devices/screen/built-in-fonts.ts',
]

/**
 * Alternatives of a regular expression → advice. A space in a phrase also matches a line break. Contains only phrases without a
 * legitimate use, so that no exceptions are needed.
 */
const PHRASES = /** @type {Readonly<Record<string, string>>} */ ({
  'whoever|nobody(?!:)|somebody|someone|those who|one who|who else|who would': 'name the caller, process or value',
  'the words of|in the words|(?:its|his|their|our|your) own words': 'write "the message of" or "says"',
  'the face of|the heart of|the house': 'name the class, module or package',
  '(?:earlier|former|next|whole|own) life': 'write "before the restore" or "while the VM runs"',
  'made ahead': 'write "pooled" or "prepared in advance"',
  '(?:told|tells?|telling) of|told so': 'write "reports", "describes" or "is notified of"',
  'in (?:the )?place of': 'write "instead of"',
  'ever after|anew': 'write "again" or "afterwards"',
  'as it (?:was|is) not to|is not to be had': 'write "although it must not"',
  'affairs?|for want of': 'write the reason',
  'and its kin': 'write "and similar systems"',
  '[‘’“”]': 'write a plain quote or apostrophe',
})

const BANNED = Object.entries(PHRASES).map(([phrase, instead]) => {
  const source = phrase.replaceAll(' ', String.raw`[\s*/]+`)
  return { pattern: new RegExp(phrase.startsWith('[') ? source : String.raw`\b(?:${source})\b`, 'giu'), instead }
})

/** Whether a file is checked. @param {string} file path relative to the repository */
export function isCovered(file) {
  return !EXEMPT.includes(file)
}

/**
 * Messages for the banned phrases in a text.
 * @param {string} text a comment, a string literal with its quotes, or a page
 */
export function bannedPhrases(text) {
  return BANNED.flatMap(({ pattern, instead }) =>
    [...text.matchAll(pattern)].map(
      ({ 0: phrase }) => `"${phrase.replaceAll(/[\s*/]+/g, ' ')}" is not plain English: ${instead}.`,
    ),
  )
}
