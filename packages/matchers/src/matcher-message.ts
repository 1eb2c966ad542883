/** Layout of all matcher messages. @param body the failure, in the layout of this project's errors */
export function matcherMessage(call: string, body: string): string {
  return `${call}\n\n${body}`
}
