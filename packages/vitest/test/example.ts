/** Folders of the examples, and the output that their READMEs show. */
import { fileURLToPath } from 'node:url'

/** Path of an example in the repository. */
export const folderOf = (example: string): string =>
  fileURLToPath(new URL(`../../../examples/${example}`, import.meta.url))

/** The part of a report that a README shows: one failure, without text that differs between runs. */
export function readmeReport(output: string, root: string): string {
  const [, failure = ''] = /( FAIL [\s\S]*?\n)⎯{10}/.exec(output) ?? []
  return failure
    .replaceAll(`${root}/`, '')
    .replace(/last byte [\d.]+ m?s ago/, 'last byte 1.0 s ago')
    .replace(/[\d,]+ bytes since/, '222 bytes since')
    .replace(/^ *\[ *[\d.]+\] \.\.MP-BIOS bug.*\n/gm, '')
    .replace(/^ {2}speed: .*\n/m, '')
    .replace(/BusyBox v.*? built-in/, 'BusyBox v1.35.0 built-in')
    .replace(/qemu-system-\w+ .*(-name guest=vm) .*/, 'qemu-system-x86_64 … $1 -kernel … -initrd … -append …')
    .replace(/ +$/gm, '')
}
