/**
 * Compares the commands per second of each transport with ssh, in a Debian guest with systemd. Also compares the shell on
 * the console with a plain write and read of the same bytes (goal: at most 1.5 times as slow), for a short and a long output,
 * and the copy of a file into the guest and out of it with scp.
 *
 * Needs ssh and the tools that `debianImage` needs. Run: node bench/commands.bench.ts [--rounds 9]
 */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { userNetwork } from '../packages/core/src/devices/user-network.ts'
import { undefinedAnswer } from '../packages/core/src/guest/shell/shell-dialogue.ts'
import { VM } from '../packages/core/src/machine/vm.ts'
import { noDebian, PASSWORD, USER } from '../packages/core/test/debian/debian-image.ts'
import { debianMachine } from '../packages/core/test/debian/debian-machine.ts'
import { readAgent } from '../packages/guest/src/agent-binary.ts'
import { benchOptions } from './options.ts'
import { type Contender, sideBySide } from './side-by-side.ts'

const { rounds } = benchOptions({ rounds: 9 })
/** Commands per turn: enough to measure, and few enough that the load of the host is the same for all contenders. */
const COMMANDS = 10
/** Size of the long output, random bytes that cannot be compressed. */
const MUCH = 300_000
/** Size of the file to copy. */
const FILE_BYTES = 8 * 1024 * 1024

const reason = noDebian()
if (reason !== undefined) throw new Error(reason)
const run = promisify(execFile)
const scratch = await mkdtemp(join(tmpdir(), 'coldboot-bench-'))
await using stack = new AsyncDisposableStack()
stack.defer(() => rm(scratch, { recursive: true }))

/** Called with each chunk of console output. */
let heard: (chunk: Buffer) => void = () => {}
const serialOutput = new Writable({
  write(chunk: Buffer, _encoding, done) {
    heard(chunk)
    done()
  },
})

const network = userNetwork({ forward: [{ guest: 22 }] })
const vm = stack.use(await VM.boot({ ...(await debianMachine([network])), agent: true, serialOutput }))
await vm.ready()
await startAgent()
await vm.waitForUnit('ssh', { timeout: 120_000 })
await vm.login({ user: USER, password: PASSWORD })
const { ssh, scp } = await sshInto()

await sideBySide(
  'A command over the console',
  [
    { name: 'plain write and read of the same bytes', run: () => each(() => bare("'echo on'")) },
    { name: "vm.run, via: 'shell'", run: () => each(() => vm.run('echo on', { via: 'shell' })) },
  ],
  { rounds },
)
await vm.run(`head -c ${MUCH} /dev/urandom >/tmp/much`)
await sideBySide(
  `${MUCH} random bytes over the console`,
  [
    { name: 'plain write and read of the same bytes', run: () => bare("'cat /tmp/much'") },
    { name: "vm.run, via: 'shell'", run: () => each(() => vm.run('cat /tmp/much', { via: 'shell' }), 1) },
  ],
  { rounds },
)
const ways: readonly Contender[] = [
  { name: 'shell on the console', run: () => each(() => vm.run('echo on', { via: 'shell' })) },
  { name: 'agent of @coldboot/guest', run: () => each(() => vm.run('echo on', { via: 'agent' })) },
  { name: 'QEMU guest agent', run: () => each(() => vm.run('echo on', { via: 'guest-agent' })) },
  { name: 'ssh, one connection', run: () => each(() => ssh('-S', join(scratch, 'control'))) },
  // Takes seconds per command in an emulated guest.
  { name: 'ssh, a connection per command', run: () => each(() => ssh('-S', 'none'), 1) },
]
const measured = await sideBySide('A command', ways, { rounds })
for (const { name, median } of measured) {
  console.log(`  ${name.padEnd(30)} ${(1000 / median).toFixed(1).padStart(7)} commands per second`)
}

const file = join(scratch, 'file')
await writeFile(file, randomBytes(FILE_BYTES))
await sideBySide(
  `${FILE_BYTES} random bytes into the guest`,
  [
    { name: 'scp, one connection', run: () => scp(file, 'root@127.0.0.1:/tmp/file') },
    { name: 'vm.copyIn, agent', run: () => vm.copyIn(file, '/tmp/file', { via: 'agent' }) },
    { name: 'vm.copyIn, QEMU guest agent', run: () => vm.copyIn(file, '/tmp/file', { via: 'guest-agent' }) },
  ],
  { rounds },
)
await sideBySide(
  `${FILE_BYTES} random bytes out of the guest`,
  [
    { name: 'scp, one connection', run: () => scp('root@127.0.0.1:/tmp/file', `${file}-scp`) },
    { name: 'vm.copyOut, agent', run: () => vm.copyOut('/tmp/file', `${file}-agent`, { via: 'agent' }) },
    { name: 'vm.copyOut, QEMU guest agent', run: () => vm.copyOut('/tmp/file', `${file}-qga`, { via: 'guest-agent' }) },
  ],
  { rounds },
)

/** Runs the work several times in sequence. @returns mean duration, milliseconds */
async function each(work: () => Promise<unknown>, count = COMMANDS): Promise<number> {
  const begun = performance.now()
  for (let command = 0; command < count; command++) await work()
  return (performance.now() - begun) / count
}

/** Writes the input of the shell transport, and waits for its two end-of-frame bytes: start and end of the command. */
async function bare(word: string): Promise<void> {
  const token = randomBytes(4).toString('hex')
  const ends = Promise.withResolvers<void>()
  let left = 2
  heard = (chunk) => {
    for (let at = chunk.indexOf(0x1f); at >= 0; at = chunk.indexOf(0x1f, at + 1)) left--
    if (left <= 0) ends.resolve()
  }
  vm.send(` _cb ${token} ${word}||${undefinedAnswer(token)}\n`)
  await ends.promise
}

/** Starts the agent of @coldboot/guest in the Debian guest. */
async function startAgent(): Promise<void> {
  const [path, options] = ['/usr/local/bin/coldboot-agent', { via: 'guest-agent' } as const]
  await vm.run(`cat >${path} && chmod +x ${path}`, { ...options, input: await readAgent('x86_64') })
  const port = '/dev/virtio-ports/org.coldboot.agent'
  await vm.run(`systemd-run --setenv HOME=/root ${path} ${port}`, options)
  await vm.run('true', { via: 'agent', timeout: 30_000 })
}

/** Sets up ssh. @returns functions that run a command with additional ssh arguments, and copy a file */
async function sshInto(): Promise<Record<'ssh' | 'scp', (...words: readonly string[]) => Promise<void>>> {
  const key = join(scratch, 'key')
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
  await chmod(key, 0o600)
  await vm.run('install -d -m 700 /root/.ssh')
  await vm.writeFile('/root/.ssh/authorized_keys', await readFile(`${key}.pub`), { mode: 0o600 })
  const words = [
    ...['-F', 'none', '-q', '-i', key, '-o', `Port=${network.hostPort(22)}`],
    ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null', '-o', 'BatchMode=yes'],
  ]
  const host = 'root@127.0.0.1'
  const control = join(scratch, 'control')
  await run('ssh', [...words, '-M', '-S', control, '-o', 'ControlPersist=yes', host, 'true'])
  stack.defer(() => run('ssh', ['-S', control, '-O', 'exit', host]).then(() => {}))
  return {
    ssh: (...more) => run('ssh', [...words, ...more, host, 'echo on']).then(() => {}),
    scp: (...more) => run('scp', [...words, '-o', `ControlPath=${control}`, ...more]).then(() => {}),
  }
}
