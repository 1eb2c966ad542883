/** Waits for the last line of a file that `cat` prints. Prints milliseconds and the peak of memory, MiB, as JSON. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Console } from '../../packages/core/src/console/console.ts'
import { Transcript } from '../../packages/core/src/console/log/transcript.ts'

const [file = '', kind] = process.argv.slice(2)
const begun = performance.now()
const cat = spawn('cat', [file], { stdio: ['ignore', 'pipe', 'inherit'] })
const closed = once(cat, 'close')
const serial = new Console({ name: 'bench', transcript: new Transcript(), timeoutMs: Infinity })
serial.attach(Object.assign(cat.stdout, { _write: () => {} }) as never)
await serial.expect(kind === 'string' ? 'login: ' : /login: (\w+)/)
await closed
const milliseconds = performance.now() - begun
console.log(JSON.stringify([milliseconds, process.resourceUsage().maxRSS / 1024]))
