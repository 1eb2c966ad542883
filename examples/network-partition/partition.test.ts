import { expect, Network, test, vi } from '@coldboot/vitest'
import { type Node, startCluster } from './ovsdb.ts'
import { checkRegister, type Operation } from './register.ts'

/** An election takes a few seconds. */
const PATIENCE = { timeout: 60_000 }

/** Writes to and reads from all nodes in parallel, until each has answered several times. */
async function work(nodes: readonly Node[]): Promise<void> {
  const workWith = async (node: Node): Promise<void> => {
    for (let answered = 0; answered < 5; answered++) {
      await vi.waitUntil(async () => (await node.write()) && (await node.read()), PATIENCE)
    }
  }
  await Promise.all(nodes.map(workWith))
}

/** The leader first, then the others. */
async function byRole(nodes: readonly Node[]): Promise<readonly [Node, ...Node[]]> {
  const leader = await vi.waitUntil(async () => {
    const roles = await Promise.all(nodes.map((node) => node.isLeader()))
    return nodes[roles.indexOf(true)]
  }, PATIENCE)
  return [leader, ...nodes.filter((node) => node !== leader)]
}

async function agree(nodes: readonly Node[]): Promise<boolean> {
  const [value, ...others] = await Promise.all(nodes.map((node) => node.read()))
  return value !== undefined && others.every((other) => other === value)
}

test('a register stays linearizable when the leader is cut off', { timeout: 300_000 }, async ({ bootVM }) => {
  await using network = new Network()
  const history: Operation[] = []
  const nodes = await startCluster(bootVM, network, history)
  await work(nodes)

  const [leader, ...others] = await byRole(nodes)
  network.partition(
    [leader.name],
    others.map(({ name }) => name),
  )
  const early = leader.read()
  // The others elect a leader, and continue.
  await work(others)
  const late = [await leader.read(), await leader.write()]

  network.heal()
  await work(nodes)
  await vi.waitUntil(() => agree(nodes), PATIENCE)
  checkRegister(history)
  expect([await early, ...late]).toEqual([undefined, undefined, undefined])
})
