/** Sections of an error about a failure of the guest. */
import { callTrace } from './call-trace.ts'

/** Sections for the error, by title. @param excerpt output of the guest about its failure */
export function guestSections(excerpt: string | undefined): Readonly<Record<string, string | undefined>> {
  return { 'Call trace': excerpt === undefined ? undefined : callTrace(excerpt), 'What the guest said': excerpt }
}
