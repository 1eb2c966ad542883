/** Message sections that show the failure of a guest. They replace the end of the console, which contains nearly the same text. */
import { type Incident } from '@coldboot/core'
import { guestSections, machineSections } from '@coldboot/core/internal'
import type { MatcherVM } from './matcher-vm.ts'

const END = 'End of the console'

/** Title → text. */
export function incidentSections(vm: MatcherVM, { excerpt }: Incident): Readonly<Record<string, string | undefined>> {
  const [first = ''] = excerpt.split('\n')
  if (first === '') return {}
  const { name, output, commandLine, keptLog } = vm
  const before = output.slice(0, Math.max(0, output.lastIndexOf(first)))
  const shown = before.trim() === '' ? undefined : machineSections({ name, output: before, commandLine, keptLog })[END]
  return { ...guestSections(excerpt), 'Before that': shown, [END]: undefined }
}
