// @ts-check
/**
 * Shows a step while it runs. On a terminal one line is rewritten: time passed and the command's last line; elsewhere
 * (CI, a pipe) there is a line at the start, one each ten seconds, one at the end. A step that had nothing to do, and so
 * is over at once, shows its last line only.
 */

const isLive = process.stdout.isTTY && !process.env['CI']
/** From when on a step shows itself, and how often it then does, in milliseconds. */
const FIRST = 500
const EVERY = isLive ? 200 : 10_000

/**
 * Runs `work`, which may report lines of progress and resolves to what was done or found.
 * @param {string} title what is being done
 * @param {(report: (line: string) => void) => Promise<string>} work
 */
export async function step(title, work) {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  let last = ''
  const show = () => {
    const line = `  ${title} … ${seconds().toFixed(0)} s  ${last}`.trimEnd()
    process.stdout.write(isLive ? `\r\u001B[2K${line.slice(0, process.stdout.columns - 1)}` : `${line}\n`)
  }
  /** @type {NodeJS.Timeout} */
  let timer = setTimeout(() => {
    show()
    timer = setInterval(show, EVERY)
  }, FIRST)
  try {
    const result = await work((line) => {
      last = line
    })
    if (isLive) process.stdout.write('\r\u001B[2K')
    console.log(`✓ ${result}${seconds() < 1 ? '' : ` (${seconds().toFixed(1)} s)`}`)
  } catch (error) {
    if (isLive) process.stdout.write('\r\u001B[2K')
    console.log(`✗ ${title}`)
    throw error
  } finally {
    clearTimeout(timer)
  }
}
