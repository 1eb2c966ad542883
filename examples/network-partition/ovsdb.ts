/** A cluster of OVSDB, the Raft database of Open vSwitch, in three machines. Its clients are on the host. */
import { connect } from 'node:net'
import { linuxGuest, type MachineFixtures, type Network, userNetwork } from '@coldboot/vitest'
import type { Operation } from './register.ts'

/** Time limit of a client for an answer, milliseconds. */
const TIMEOUT = 2_000

/** A node, with a client that records what it writes to and reads from a register. */
export class Node {
  /** Also the name of its machine. */
  readonly name: string
  readonly #port: number
  readonly #history: Operation[]
  #writes = 0

  constructor(name: string, port: number, history: Operation[]) {
    this.name = name
    this.#port = port
    this.#history = history
  }

  /** Writes a new value. @returns the value; undefined if the node has not acknowledged it */
  async write(): Promise<string | undefined> {
    const value = `${this.name}-${++this.#writes}`
    const start = performance.now()
    const answer = await this.#transact('example', [
      { op: 'delete', table: 'Register', where: [] },
      { op: 'insert', table: 'Register', row: { value } },
    ])
    const end = answer ? performance.now() : Infinity
    this.#history.push({ node: this.name, kind: 'write', value, start, end })
    return answer && value
  }

  /** @returns the value; undefined without an answer */
  async read(): Promise<string | undefined> {
    const start = performance.now()
    const answer = await this.#transact('example', [
      // Includes a change, which a majority must commit. Otherwise the node would answer without the other nodes.
      { op: 'mutate', table: 'Register', where: [], mutations: [['reads', '+=', 1]] },
      { op: 'select', table: 'Register', where: [] },
    ])
    const value = answer?.at(-1)?.rows?.[0]?.value
    if (value !== undefined) this.#history.push({ node: this.name, kind: 'read', value, start, end: performance.now() })
    return value
  }

  /** Whether the node considers itself the leader. */
  async isLeader(): Promise<boolean> {
    const where = [['name', '==', 'example']]
    const answer = await this.#transact('_Server', [{ op: 'select', table: 'Database', where }])
    return answer?.[0]?.rows?.[0]?.leader ?? false
  }

  /** @returns a result for each operation; undefined if the node refuses, or does not answer in time */
  async #transact(database: string, operations: readonly object[]): Promise<readonly Result[] | undefined> {
    const socket = connect({ host: '127.0.0.1', port: this.#port, signal: AbortSignal.timeout(TIMEOUT) })
    try {
      socket.write(JSON.stringify({ id: 0, method: 'transact', params: [database, ...operations] }))
      let text = ''
      for await (const chunk of socket) {
        text += String(chunk)
        const answer = whole(text)
        if (answer) return answer.result?.some(({ error }) => error) ? undefined : answer.result
      }
      return undefined
    } catch {
      return undefined
    }
  }
}

interface Answer {
  readonly result?: readonly Result[]
}

/** Parses the answer; returns undefined if it is incomplete. */
function whole(text: string): Answer | undefined {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return undefined
  }
}

interface Result {
  readonly rows?: readonly { readonly value?: string; readonly leader?: boolean }[]
  readonly error?: string
}

/** Starts three nodes. They reach each other over the network, and the clients reach them over second cards. */
export async function startCluster(
  bootVM: MachineFixtures['bootVM'],
  network: Network,
  history: Operation[],
): Promise<readonly Node[]> {
  const files = {
    '/opt/ovsdb': { source: process.env['OVSDB'] ?? 'ovsdb' },
    '/opt/ovsdb/schema.json': { source: 'schema.json' },
  }
  const guest = await linuxGuest({ files, init: ['mount -o bind /dev /opt/ovsdb/dev'] })
  return Promise.all(
    [1, 2, 3].map(async (number) => {
      const [name, address, first] = [`n${number}`, `tcp:10.0.0.${number}:6644`, 'tcp:10.0.0.1:6644']
      const clients = userNetwork({ forward: [{ guest: 6641 }] })
      const vm = await bootVM({ ...guest, name, devices: [network.nic(), clients] })
      const create =
        number === 1
          ? `--election-timer=4000 create-cluster /db /schema.json ${first}`
          : `join-cluster /db example ${address} ${first}`
      await vm.run(`ip addr add 10.0.0.${number}/24 dev eth0 && ip link set eth0 up`)
      await vm.run('ip addr add 10.0.2.15/24 dev eth1 && ip link set eth1 up')
      await vm.run(`chroot /opt/ovsdb /usr/bin/ovsdb-tool ${create}`, { timeout: 60_000 })
      const server = '/usr/sbin/ovsdb-server --no-chdir --unixctl=/control --remote=ptcp:6641 /db'
      await vm.run(`chroot /opt/ovsdb ${server} >/dev/console 2>&1 &`)
      return new Node(name, clients.hostPort(6641), history)
    }),
  )
}
