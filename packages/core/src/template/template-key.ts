/** What makes two machines the same, so that one may be a clone of the other: everything that QEMU or the guest can see. */
import { createHash } from 'node:crypto'
import type { MachineSpec } from '../machine-spec.ts'
import { fileDigest } from './file-digest.ts'

/** Raised when what is stored, or how it is made, changes: older templates are then not found again. */
const FORMAT = 1

/** What a key is made of besides the spec. */
export interface KeyInput {
  readonly spec: MachineSpec
  /** Arguments of the machine with a fixed private directory: the same for every machine of this spec. */
  readonly argv: readonly string[]
  /** Of the QEMU that runs it. */
  readonly qemuVersion: string
  /** CPU of the host where the guest sees it (hardware acceleration), else a constant. */
  readonly hostCpu: string
  /** Files whose content the guest can see, by role. */
  readonly files: Readonly<Record<string, string>>
  /** Source of the user’s `prepare`, or ''. */
  readonly prepare: string
  /** The user’s own key, for what a function’s source does not show: what it closes over. */
  readonly userKey: string
  /** Folder of remembered digests. */
  readonly digests: string
}

/** 32 hexadecimal digits. */
export async function templateKey(input: KeyInput): Promise<string> {
  const files = await Promise.all(
    Object.entries(input.files).map(async ([role, path]) => [role, await fileDigest(path, input.digests)] as const),
  )
  const identity = {
    format: FORMAT,
    argv: input.argv.map((argument) => withoutPaths(argument, input.files)),
    qemu: input.qemuVersion,
    host: input.hostCpu,
    ready: String(input.spec.ready),
    files,
    prepare: input.prepare,
    key: input.userKey,
  }
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex').slice(0, 32)
}

// The content counts, not where it lies: the same kernel in another folder makes the same machine.
function withoutPaths(argument: string, files: Readonly<Record<string, string>>): string {
  let text = argument
  for (const [role, path] of Object.entries(files)) text = text.replaceAll(path, `<${role}>`)
  return text
}
