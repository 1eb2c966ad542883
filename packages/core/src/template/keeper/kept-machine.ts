/** Spawns, restores and ends the machines in the keeper of a run. */
import { closeSync, openSync } from 'node:fs'
import type { Duplex } from 'node:stream'
import { startTimer, stopTimer } from '../../host/clock.ts'
import { copyFiles } from '../../host/files/copy-files.ts'
import { makePrivateDirectory, type PrivateDirectory } from '../../host/files/private-directory.ts'
import { cleanUp } from '../../host/machines/clean-up.ts'
import { registerMachine } from '../../host/machines/live-machines.ts'
import { CONSOLE_FD, QMP_FD, STATE_FD } from '../../qemu/command-line.ts'
import { ConsolePipe } from '../../qemu/console-pipe.ts'
import { loadState } from '../../qemu/migration.ts'
import { type QemuProcess, spawnQemu } from '../../qemu/process.ts'
import { ANSWER_MS } from '../../qemu/qemu-instance.ts'
import { QmpClient } from '../../qemu/qmp.ts'
import { shutDown } from '../../qemu/shutdown.ts'
import type { PoolWork } from '../pool/machine-pool.ts'
import { warmUp } from '../pool/warm-up.ts'
import { type MachineRecipe, PRIVATE_DIRECTORY } from './machine-recipe.ts'

/** A spawned QEMU without an owner. */
export interface KeptMachine {
  readonly process: QemuProcess
  readonly qmp: QmpClient
  readonly consoleStream: Duplex
  /** The end of a socket or pipe of QEMU in this process. @param fd number of the descriptor in QEMU */
  stream(fd: number): Duplex
  readonly directory: PrivateDirectory
  /** Entry in the registry of live machines. */
  readonly registration: Disposable
  gone: boolean
}

/** The work for the pool of the keeper. */
export const keptMachines: PoolWork<MachineRecipe, KeptMachine> = {
  async launch(recipe) {
    const directory = await makePrivateDirectory()
    let machine: KeptMachine | undefined
    try {
      await copyFiles(recipe.files, directory.path)
      machine = await spawn(recipe, directory)
      await answering(machine, recipe, machine.qmp.connect())
      if (machine.consoleStream instanceof ConsolePipe) await machine.consoleStream.unlink()
      return machine
    } catch (error) {
      await (machine ? this.discard(machine) : directory.remove())
      throw error
    }
  },
  async restore(machine, recipe, taken) {
    const { uri, memory, warmUp: exchange, warmUpFd } = recipe
    const { qmp, consoleStream } = machine
    await answering(machine, recipe, loadState(qmp, uri, memory))
    if (exchange === undefined) return
    const stream = warmUpFd === undefined ? consoleStream : machine.stream(warmUpFd)
    await answering(machine, recipe, warmUp({ qmp, stream }, exchange, taken))
  },
  isGone: ({ gone }) => gone,
  async discard({ process, qmp, directory, registration }) {
    await cleanUp(
      () => shutDown(process, qmp),
      () => directory.remove(),
      () => registration[Symbol.dispose](),
    )
  },
}

async function spawn({ name, argv, sockets, state }: MachineRecipe, directory: PrivateDirectory): Promise<KeptMachine> {
  // Other characters would have to be escaped in the option values of QEMU.
  if (!/^[\w./-]+$/.test(directory.path)) throw new Error(`${directory.path} has unusual characters`)
  const stateFd = openSync(state, 'r')
  let consolePipe: ConsolePipe | undefined
  try {
    if (!sockets.includes(CONSOLE_FD)) {
      consolePipe = await ConsolePipe.create(directory.path)
      // The worker then starts the machine itself, with a socket.
      if (consolePipe === undefined) throw new Error(`No named pipe can be created in ${directory.path}`)
    }
    const process = await spawnQemu(
      argv.map((argument) => argument.replaceAll(PRIVATE_DIRECTORY, directory.path)),
      { sockets, files: new Map([[STATE_FD, stateFd]]) },
    )
    const registration = registerMachine({
      name,
      directory: directory.path,
      kill: () => process.terminate('SIGKILL'),
    })
    const stream = (fd: number): Duplex => (fd === CONSOLE_FD && consolePipe) || process.stream(fd)
    const machine: KeptMachine = {
      process,
      qmp: new QmpClient(process.stream(QMP_FD)),
      consoleStream: stream(CONSOLE_FD),
      stream,
      directory,
      registration,
      gone: false,
    }
    // A socket may be reset when QEMU exits.
    for (const fd of new Set([CONSOLE_FD, ...sockets])) stream(fd).on('error', () => {})
    void process.exited.then(() => {
      machine.gone = true
      consolePipe?.finish()
    })
    return machine
  } catch (error) {
    consolePipe?.destroy()
    throw error
  } finally {
    closeSync(stateFd)
  }
}

/** Awaits `work`. Rejects if QEMU exits before, and kills QEMU after the time limit. */
async function answering(
  { process }: KeptMachine,
  { timeoutMultiplier }: MachineRecipe,
  work: Promise<unknown>,
): Promise<void> {
  const timer = startTimer(() => process.terminate('SIGKILL'), ANSWER_MS * timeoutMultiplier)
  const exited = process.exited.then(() => {
    throw new Error(`QEMU exited: ${process.stderr()}`)
  })
  exited.catch(() => {})
  try {
    await Promise.race([work, exited])
  } finally {
    stopTimer(timer)
  }
}
