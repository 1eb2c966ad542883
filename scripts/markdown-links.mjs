// @ts-check
/** Finds and replaces links of Markdown pages, except those in code. */

/** Fenced code, inline code, or the target of a link. */
const PART = /^```[\s\S]*?^```$|`[^`\n]*`|(?<=\]\()([^)\s]+)(?=\))/gm

/** The targets of a page's links, in order. @param {string} markdown @returns {string[]} */
export function linksIn(markdown) {
  return [...markdown.matchAll(PART)].flatMap(([, target]) => (target === undefined ? [] : [target]))
}

/**
 * Replaces each target of a page's links.
 * @param {string} markdown @param {(target: string) => string} replace @returns {string}
 */
export function replaceLinks(markdown, replace) {
  return markdown.replaceAll(PART, (part, target) => (target === undefined ? part : replace(part)))
}

/** Whether a target has a scheme. @param {string} target */
export function isUrl(target) {
  return /^[a-z]+:/.test(target)
}
