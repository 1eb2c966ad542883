// @ts-check
/**
 * Shows the progress of a step. A terminal shows one line that is updated with the elapsed time and the last output. In CI and
 * pipes, a line is printed at the start, every ten seconds, and at the end. A short step only prints its last line.
 */

const isLive = process.stdout.isTTY && !process.env['CI']
/** Delay before the first line, and interval of updates, milliseconds. */
const FIRST = 500
const EVERY = isLive ? 200 : 10_000

/**
 * Runs `work`, which may report lines of progress and resolves to a description of the result.
 * @param {string} title description of the step
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
