/** The one layout of the matchers’ messages: the call, what happened, and what the machine printed. */

/** @param body what happened, in the layout of this project’s errors */
export function matcherMessage(call: string, body: string): string {
  return `${call}\n\n${body}`
}
