/**
 * Devices whose guest side is made after a restore: a 9p directory, which no saved guest may have mounted, and shared
 * directories and disks of another content than the saved machine's. See {@link Device.attachAfterRestore}.
 */
import type { Device } from '../devices/device.ts'
import { EARLY_MOUNTS } from '../devices/helpers/guest-mount.ts'
import { AGENT_PORT, findChannel } from '../devices/helpers/guest-ports.ts'
import { ColdbootError, MachineError } from '../errors.ts'
import { GuestCommandError } from '../guest/guest-command-error.ts'
import type { RunOptions } from '../guest/run-options.ts'
import { fileDigest } from '../host/file-digest.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/** The machine as a template has it: attached late if the guest has an agent to be told by. */
export function withRestoreAttachments(spec: MachineSpec): MachineSpec {
  const canBeTold = findChannel(spec.devices, AGENT_PORT) !== undefined && !spec.kernelArgs.includes(EARLY_MOUNTS)
  return canBeTold && spec.devices.some(({ attachAfterRestore }) => attachAfterRestore !== undefined)
    ? { ...spec, attachesAfterRestore: true }
    : spec
}

/** The machine as a save of it while it runs has it: whatever was attached is detached, if the guest has an agent. */
export function withDetachedDevices(spec: MachineSpec): MachineSpec {
  return { ...spec, attachesAfterRestore: findChannel(spec.devices, AGENT_PORT) !== undefined }
}

/**
 * The content of each device that a restored guest can be shown anew; undefined of the others.
 * @param digests folder of remembered digests
 */
export async function attachmentContents(spec: MachineSpec, digests: string): Promise<readonly (string | undefined)[]> {
  if (!spec.attachesAfterRestore) return []
  const contentOf = async (device: Device): Promise<string | undefined> => {
    if (device.attachAfterRestore?.refresh === undefined) return undefined
    if (device.contentIdentity !== undefined) return device.contentIdentity()
    return (await Promise.all((device.attachAfterRestore.paths ?? []).map((path) => fileDigest(path, digests)))).join()
  }
  return Promise.all(spec.devices.map(contentOf))
}

/** What tells two machines of one template apart before anybody has them: contents, and paths that the guest does not know. */
export function attachmentIdentity(spec: MachineSpec, contents: readonly (string | undefined)[]): string {
  return JSON.stringify([
    spec.attachesAfterRestore ? spec.devices.map(({ attachAfterRestore }) => attachAfterRestore?.paths) : [],
    contents,
  ])
}

/** Positions of the devices whose content is not the saved machine's. */
export function changedPositions(
  contents: readonly (string | undefined)[],
  saved: readonly (string | null | undefined)[],
): readonly number[] {
  return [...contents.keys()].filter((position) => contents[position] !== (saved[position] ?? undefined))
}

/** What the guest is to run after its restore; empty: nothing. */
export function attachScript(spec: MachineSpec, changed: readonly number[] = []): string {
  return script(spec, (attachment, position) => [
    changed.includes(position) ? attachment.refresh?.({ position }) : undefined,
    attachment.attach?.(),
  ])
}

/** What the guest is to run before it is saved; empty: nothing. */
export function detachScript(spec: MachineSpec): string {
  return script(spec, (attachment) => [attachment.detach?.()])
}

// Each in a shell of its own, so that an `exit` ends its part alone; the first that fails ends all. Its status is looked at
// in a line of its own: `set -e` means nothing in what `||` follows.
function script(
  { attachesAfterRestore, devices }: MachineSpec,
  partsOf: (attachment: NonNullable<Device['attachAfterRestore']>, position: number) => readonly (string | undefined)[],
): string {
  if (!attachesAfterRestore) return ''
  const parts = devices.flatMap((device, position) =>
    device.attachAfterRestore ? partsOf(device.attachAfterRestore, position) : [],
  )
  return parts
    .filter((part) => part !== undefined)
    .map((part) => `(\n${part}\n)\nstatus=$?\n[ $status = 0 ] || exit $status`)
    .join('\n')
}

/** Runs commands in a guest. */
export interface ScriptRunner {
  /** The machine's name. */
  readonly name: string
  run(command: string, options: RunOptions): Promise<unknown>
}

/** Attaching takes some ten milliseconds, on a busy host more. Milliseconds, before the multiplier. */
const ATTACH_MS = 20_000

/**
 * Has the agent of the guest run a script, unless it is empty.
 * @throws MachineError `ATTACH_FAILED` with what it printed
 */
export async function runAgentScript(guest: ScriptRunner, script: string): Promise<void> {
  if (script === '') return
  try {
    await guest.run(script, { via: 'agent', timeout: ATTACH_MS })
  } catch (cause) {
    if (!ColdbootError.is(cause) || !(cause instanceof GuestCommandError)) throw cause
    const printed = cause.stderr.toString().trim() || cause.shortMessage
    throw new MachineError('ATTACH_FAILED', `Machine "${guest.name}" cannot attach a device: ${printed}`, { cause })
  }
}
