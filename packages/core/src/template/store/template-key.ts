/** What makes two machines the same, so that one may be a clone of the other: everything that QEMU or the guest can see. */
import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Device } from '../../devices/device.ts'
import { fileDigest } from '../../host/file-digest.ts'
import { hostCpu } from '../../host/host-cpu.ts'
import { buildCommandLine } from '../../qemu/command-line.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'

/** Raised when what is stored, or how it is made, changes: older templates are then not found again. */
const FORMAT = 2

/** What a key is made of. */
export interface KeyInput {
  readonly spec: MachineSpec
  /** QEMU's binary and its first arguments. */
  readonly qemu: readonly string[]
  readonly qemuVersion: string
  /** Source of the user's `prepare`, or ''. */
  readonly prepare: string
  /** The user's own key, for what a function's source does not show: what it closes over. */
  readonly userKey: string
  /** Folder of remembered digests. */
  readonly digests: string
}

/** 32 hexadecimal digits. */
export async function templateKey(input: KeyInput): Promise<string> {
  const { spec, qemu } = input
  const { argv } = buildCommandLine({
    // The name is for people; a template serves machines of every name.
    spec: { ...spec, name: 'vm' },
    qemu,
    directory: '/private',
    wiring: 'inherited',
    sandbox: true,
  })
  // What runs once may have read whatever is shared: its result is of that content.
  const isAttachedAfterRestore = ({ attachAfterRestore }: Device): boolean =>
    spec.attachesAfterRestore && attachAfterRestore !== undefined && input.prepare === ''
  const devices = await Promise.all(
    spec.devices.map(async (device) => (isAttachedAfterRestore(device) ? undefined : device.contentIdentity?.())),
  )
  const unknown = spec.devices
    .filter(isAttachedAfterRestore)
    .flatMap(({ attachAfterRestore }) => attachAfterRestore?.paths ?? [])
  const identity = {
    format: FORMAT,
    argv: await Promise.all(argv.map((argument) => withContents(withoutPaths(argument, unknown), input.digests))),
    qemu: input.qemuVersion,
    // With hardware acceleration the guest sees the host's CPU, and a saved state fits no other.
    host: spec.accelerator === 'tcg' ? '' : hostCpu(),
    ready: String(spec.ready),
    devices,
    prepare: input.prepare,
    key: input.userKey,
  }
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}

function withoutPaths(argument: string, paths: readonly string[]): string {
  return paths.reduce((text, path) => {
    const value = `=${path.replaceAll(',', ',,')}`
    return text.endsWith(value) ? `${text.slice(0, -value.length)}=` : text.replace(`${value},`, '=,')
  }, argument)
}

// A file counts by its content, not by where it lies. Paths stand alone (`-kernel`), as values (`file=`), and in JSON.
const PATHS = /(?<=^|[=:"])\/(?:[^,"]|,,)+/g

async function withContents(argument: string, digests: string): Promise<string> {
  const replaced = new Map<string, string>()
  for (const [text] of argument.matchAll(PATHS)) {
    const path = text.replaceAll(',,', ',')
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) replaced.set(text, await fileDigest(path, digests))
  }
  return argument.replace(PATHS, (text) => replaced.get(text) ?? text)
}
