/** Faults of processes: killed, or stopped for some time. */
import { setTimeout as delay } from 'node:timers/promises'
import { CLOSED, type Done, type Expectation, type Fault, type FaultContext } from './fault.ts'
import { machinesOf, processesOf, signal } from './processes.ts'

/** Range of the time for which a process is stopped, milliseconds. */
const STOPPED_MS = { least: 500, most: 3_000 }

type Find = (context: FaultContext) => number | undefined

const worker: Find = ({ event }) => event.worker
const runner: Find = (context) => context.runner
const machine: Find = ({ event, events }) =>
  events().find((one) => one.kind === 'started' && one.test === event.test)?.machine
/** A machine that no test uses yet. */
const pooled: Find = ({ mark, events, plan }) => {
  const used = new Set(events().map((event) => event.machine))
  const free = machinesOf(mark).filter(({ pid }) => !used.has(pid))
  return free[Math.floor(plan.choice * free.length)]?.pid
}
const keeper: Find = ({ mark }) =>
  processesOf(mark).find(
    ({ isMachine, words }) => !isMachine && words.some((word) => word.endsWith('/keeper-process.js')),
  )?.pid

const FINE: Expectation = { run: 'passes', affected: 'none' }
/** Errors of a test whose machine was killed. */
const KILLED = [/QEMU was killed \(signal SIGKILL\)/, CLOSED]
const WORKER_KILLED = /Worker exited unexpectedly|was terminated by another process: signal=SIGKILL/

/** Faults by name. */
export const PROCESS_FAULTS = {
  'kill worker': fault(kill(worker), {
    run: 'fails',
    affected: 'file',
    reasons: [WORKER_KILLED],
    prints: WORKER_KILLED,
    leavesFiles: true,
  }),
  'kill runner': fault(kill(runner), { run: 'killed', affected: 'all', leavesFiles: true }),
  'kill QEMU': { ...fault(kill(machine), { run: 'fails', affected: 'test', reasons: KILLED }), needsMachine: true },
  // It may be handed to a test between the search and the kill.
  'kill pooled machine': {
    ...fault(kill(pooled), { run: 'either', affected: 'all', reasons: KILLED }),
    needsMachine: true,
  },
  'kill keeper': {
    ...fault(kill(keeper), { run: 'either', affected: 'all', reasons: KILLED, leavesFiles: true }),
    runners: ['vitest'],
    needsMachine: true,
  },
  'stop worker': fault(stop(worker), FINE),
  'stop runner': fault(stop(runner), FINE),
  'stop QEMU': { ...fault(stop(machine), FINE), needsMachine: true },
  'stop keeper': { ...fault(stop(keeper), FINE), runners: ['vitest'], needsMachine: true },
} as const satisfies Record<string, Fault>

function fault(act: Fault['act'], expects: Expectation): Fault {
  return { act, expects }
}

function kill(find: Find): Fault['act'] {
  return (context): Done => {
    const pid = find(context)
    return pid !== undefined && signal(pid, 'SIGKILL') ? 'done' : 'no victim'
  }
}

function stop(find: Find): Fault['act'] {
  return async (context): Promise<Done> => {
    const pid = find(context)
    if (pid === undefined || !signal(pid, 'SIGSTOP')) return 'no victim'
    await delay(STOPPED_MS.least + context.plan.choice * (STOPPED_MS.most - STOPPED_MS.least))
    signal(pid, 'SIGCONT')
    return 'done'
  }
}
