/**
 * Work of each test of a round: the guest prints numbered lines with checksums in bursts, and the events of the test are appended
 * to a file. A test goes on until the fault of the round was injected, so that the test is always running at that moment.
 */
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const { CHAOS_EVENTS = '', CHAOS_FAULT = '' } = process.env
/** Lines of a burst, and the least number of bursts. */
const LINES = 25
const BURSTS = 3
/** Pause between further bursts, while the fault is awaited. Milliseconds. */
const PAUSE_MS = 200
/** Prints lines from `$1` on: `line <number> <checksum>`. */
const PRINT = `burst() { i=$1; while [ $i -lt $(($1 + ${LINES})) ]; do i=$((i + 1)); echo "line $i $((i * 7919 % 99991))"; done; }`

/** Reports an event. @param {object} event */
export function report(event) {
  appendFileSync(CHAOS_EVENTS, `${JSON.stringify({ ...event, worker: process.pid })}\n`)
}

/** Does the work of a test. @param {string} test its name */
export async function expectLines(vm, test) {
  report({ kind: 'started', test, machine: vm.pid })
  try {
    await print(vm, test)
    report({ kind: 'passed', test })
  } catch (error) {
    report({ kind: 'failed', test, code: error.code, message: error.message })
    throw error
  }
}

async function print(vm, test) {
  await vm.run('true')
  vm.send(`${PRINT}\n`)
  for (let burst = 1; ; burst++) {
    if (burst > BURSTS) await delay(PAUSE_MS)
    const lines = burst * LINES
    vm.send(`burst ${lines - LINES}\n`)
    await vm.expect(`line ${lines} ${(lines * 7919) % 99991}\n`)
    report({ kind: 'printed', test, lines })
    const fault = readFault()
    if (fault?.victim === test) return type(vm, test, fault)
    if (fault !== undefined && burst >= BURSTS) return
  }
}

/** Types the command of a fault into the guest. */
async function type(vm, test, { first, command, until, bytes }) {
  if (first !== undefined) {
    vm.send(`${first.command}\n`)
    await vm.expect(first.until)
  }
  vm.send(`${command}\n`)
  if (until === undefined) await vm.expect('text that is never printed', { timeout: 60_000 })
  const { captures } = await vm.expect(new RegExp(until), { timeout: Infinity })
  report({ kind: 'flooded', test, sha256: captures[0], bytes })
}

/** The fault of the round; undefined until it was injected. */
function readFault() {
  return existsSync(CHAOS_FAULT) ? JSON.parse(readFileSync(CHAOS_FAULT, 'utf8') || '{}') : undefined
}
