/** Takes out of a report what differs from run to run and from host to host, so that the rest can be compared. */

/** @param root the project's folder */
export function normalReport(output: string, root: string): string {
  return (
    output
      .replaceAll(`${root}/`, '')
      .replaceAll(root, '<project>')
      // What QEMU is given is the business of the core's own tests.
      .replace(/^ {2}\S*(qemu-system-\w+) .*?(-name guest=\S+) .*$/gm, '  $1 … $2 …')
      .replace(/(not on PATH )\([^)]*\)/, '$1(<path>)')
      .replace(/^ {2}speed: .*\n/gm, '')
      .replace(/BusyBox v.*? built-in/g, 'BusyBox v<version> built-in')
      // A busy host makes the kernel complain about a timer.
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
