/**
 * Computes the key of a template: a hash of everything that QEMU or the guest can see. Machines with the same key share
 * a template.
 */
import { statSync } from 'node:fs'
import type { Device } from '../../devices/device.ts'
import { fileDigest } from '../../host/files/file-digest.ts'
import { hostCpu } from '../../host/host-cpu.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { buildCommandLine } from '../../qemu/command-line.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'

/** Version of the template format. Increased when the format changes, so that older templates are not used. */
const FORMAT = 3

/** Input of {@link templateKey}. */
export interface KeyInput {
  readonly spec: MachineSpec
  /** QEMU binary and its first arguments. */
  readonly qemu: readonly string[]
  readonly qemuVersion: string
  /** Source text of `prepare`, or ''. */
  readonly prepare: string
  /** The option `templateKey`, for differences that the source text of `prepare` does not show. */
  readonly userKey: string
  /** Source text and key of each layer, the lowest one first. @default [] */
  readonly layers?: readonly { readonly source: string; readonly key: string }[]
  /** Folder of cached digests. */
  readonly digests: string
}

/** Computes the key. @returns 32 hexadecimal digits */
export async function templateKey(input: KeyInput): Promise<string> {
  const { spec, qemu, layers = [] } = input
  const isPrepared = input.prepare !== '' || layers.length > 0
  const { argv } = buildCommandLine({
    // The name is not part of the key.
    spec: { ...spec, name: 'vm' },
    qemu,
    directory: '/private',
    wiring: 'inherited',
    sandbox: true,
  })
  // `prepare` may read shared directories, so their content is part of the key.
  const isAttachedAfterRestore = ({ attachAfterRestore }: Device): boolean =>
    spec.attachesAfterRestore && attachAfterRestore !== undefined && !isPrepared
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
    // With hardware acceleration, a saved state only works on the same CPU.
    host: spec.accelerator === 'tcg' ? '' : hostCpu(),
    ready: String(spec.ready),
    devices,
    prepare: input.prepare,
    key: input.userKey,
    layers: layers.length === 0 ? undefined : layers,
  }
  return nodeCrypto().createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}

function withoutPaths(argument: string, paths: readonly string[]): string {
  return paths.reduce((text, path) => {
    const value = `=${path.replaceAll(',', ',,')}`
    return text.endsWith(value) ? `${text.slice(0, -value.length)}=` : text.replace(`${value},`, '=,')
  }, argument)
}

// Matches paths, which are replaced by digests of the files: in arguments (`-kernel`), in values (`file=`), and in
// JSON.
const PATHS = /(?<=^|[=:"])\/(?:[^,"]|,,)+/g

async function withContents(argument: string, digests: string): Promise<string> {
  const replaced = new Map<string, string>()
  for (const [text] of argument.matchAll(PATHS)) {
    const path = text.replaceAll(',,', ',')
    if (statSync(path, { throwIfNoEntry: false })?.isFile()) replaced.set(text, await fileDigest(path, digests))
  }
  return argument.replace(PATHS, (text) => replaced.get(text) ?? text)
}

/** Whether a text has the form of a template key, so that it is safe as the name of a folder. */
export function isTemplateKey(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text)
}
