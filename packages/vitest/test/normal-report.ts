/** Replaces the parts of a report that differ between runs and hosts, so that reports can be compared. */

/** @param root folder of the project */
export function normalReport(output: string, root: string): string {
  return (
    output
      .replaceAll(`${root}/`, '')
      .replaceAll(root, '<project>')
      // The tests of core check the arguments of QEMU.
      .replace(/^ {2}\S*(qemu-system-\w+) .*?(-name guest=\S+) .*$/gm, '  $1 … $2 …')
      .replace(/(not on PATH )\([^)]*\)/, '$1(<path>)')
      .replace(/^ {2}speed: .*\n/gm, '')
      .replace(/BusyBox v.*? built-in/g, 'BusyBox v<version> built-in')
      // Printed by the kernel on a busy host.
      .replace(/^ *\[ *[\d.]+\] \.\.MP-BIOS bug.*\n/gm, '')
      .replace(/\[ *\d+\.\d+\]/g, '[<time>]')
      .replace(/^ RUN {2}v\S+/m, ' RUN  v<version>')
      .replace(/^( *[✓×❯].*?) \d+ms/gm, '$1')
      .replace(/^( *(?:Start at|Duration) ).*$/gm, '$1<time>')
      .replace(/(within|after) [\d.]+ m?s/g, '$1 <time>')
      .replace(/last byte [\d.]+ m?s ago/g, 'last byte <time> ago')
      .replace(/\b[\d,]+ (bytes?|characters?)\b/g, '<number> $1')
      .replace(/\b(not counting|has) \d+ ms/g, '$1 <number> ms')
      .replace(/ +$/gm, '')
  )
}
