/** Client of the keeper of a run, for its workers. */
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { startTimer, stopTimer, timeOrigin } from '../../host/clock.ts'
import { registerMachine } from '../../host/machines/live-machines.ts'
import { describeSpec } from '../../machine/description.ts'
import { type Launched, launchedCommandLine } from '../../machine/launch.ts'
import { locateQemu } from '../../qemu/locate.ts'
import { ANSWER_MS, QemuInstance } from '../../qemu/qemu-instance.ts'
import type { PoolKey, PoolRecipe } from '../pool/machine-pool.ts'
import { planOf, type Restoration } from '../restore.ts'
import { firstMessage, type GivenMachine, type KeeperRequest, sendMessage } from './keeper-messages.ts'
import { KEEPER_SOCKET } from './keeper-script.ts'
import { keptProcess } from './kept-process.ts'
import { keptState, recipeOf } from './recipe-of.ts'

/** Connection to the keeper of one run. */
export class KeeperClient {
  readonly #starter: string
  readonly #path: string

  /**
   * @param starter path of the socket of the main process, which starts the keeper after a connection and then closes
   * it
   */
  constructor(starter: string) {
    this.#starter = starter
    this.#path = join(dirname(starter), KEEPER_SOCKET)
  }

  /** Takes a machine; undefined if there is none, or the keeper does not answer in time. */
  async take(key: PoolKey, restoration: Restoration): Promise<Launched | undefined> {
    const control = await this.#request({ kind: 'take', key })
    const limitMs = ANSWER_MS * restoration.spec.timeoutMultiplier
    const given = control && ((await messageWithin(control, limitMs)) as Partial<GivenMachine> | undefined)
    if (control && given?.machine !== undefined) return this.#launched(control, given as GivenMachine, restoration)
    control?.destroy()
    return undefined
  }

  /** Asks the keeper to prepare the next machines of a template in the background. */
  async refill(key: PoolKey, recipe: PoolRecipe<Restoration>): Promise<void> {
    const source = await recipeOf(recipe.source)
    const request: KeeperRequest = { kind: 'refill', key, recipe: { ...recipe, source } }
    const sent = (await this.#request(request)) ?? (await this.#start(request))
    sent?.resume().unref()
  }

  /** Ends all machines in the keeper that were not taken. */
  async end(): Promise<void> {
    const sent = await this.#request({ kind: 'end' })
    if (sent) await once(sent.resume(), 'close')
  }

  async #launched(control: Socket, given: GivenMachine, restoration: Restoration): Promise<Launched> {
    const { spec } = restoration
    const { directory } = given
    const qemu = await locateQemu(spec.arch, spec.qemu)
    const plan = planOf(restoration, keptState(restoration))
    const describe: Launched['describe'] = (holders) => describeSpec(holders, qemu.command, directory)
    const machine = QemuInstance.adopt(
      keptProcess(this.#path, control, given),
      spec,
      launchedCommandLine(spec, plan, qemu, directory),
      {
        shown: describe(spec).commandLineQuoted,
        messages: given.messages.map((message) => ({ ...message, at: message.at - timeOrigin })),
      },
    )
    const entry = registerMachine({ name: spec.name, directory, kill: () => machine.kill() })
    return {
      machine,
      directory: { path: directory, remove: () => rm(directory, { recursive: true, force: true }) },
      qemuVersion: qemu.version,
      describe,
      plan,
      registration: {
        [Symbol.dispose]() {
          entry[Symbol.dispose]()
          control.destroy()
        },
      },
    }
  }

  /** Starts the keeper, then sends a request. */
  async #start(request: KeeperRequest): Promise<Socket | undefined> {
    const starter = await connected(this.#starter)
    if (!starter) return undefined
    await once(starter.resume(), 'close')
    return this.#request(request)
  }

  /** Connects to the keeper and sends a request. @returns the connection; undefined if there is no keeper */
  async #request(request: KeeperRequest): Promise<Socket | undefined> {
    const socket = await connected(this.#path)
    if (socket) sendMessage(socket, request)
    return socket
  }
}

/** Reads one message. Closes the connection when none arrives in time. @returns undefined without a message */
async function messageWithin(socket: Socket, limitMs: number): Promise<unknown> {
  const timer = startTimer(() => socket.destroy(), limitMs)
  try {
    return await firstMessage(socket)
  } finally {
    stopTimer(timer)
  }
}

async function connected(path: string): Promise<Socket | undefined> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return socket.on('error', () => {})
  } catch {
    return undefined
  }
}
