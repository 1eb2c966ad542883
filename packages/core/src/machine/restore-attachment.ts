/**
 * Attaches devices in the guest after a restore: 9p directories, because QEMU cannot save a guest that has mounted
 * them, and directories and disks whose content differs from that of the saved machine. See
 * {@link Device.attachAfterRestore}.
 */
import type { Device } from '../devices/device.ts'
import { EARLY_MOUNTS } from '../devices/helpers/guest-mount.ts'
import { AGENT_PORT, findChannel } from '../devices/helpers/guest-ports.ts'
import { ColdbootError, MachineError } from '../errors.ts'
import { GuestCommandError } from '../guest/guest-command-error.ts'
import type { RunOptions } from '../guest/run-options.ts'
import { fileDigest } from '../host/files/file-digest.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/** Returns the spec for a template: devices are attached after a restore if the guest has an agent. */
export function withRestoreAttachments(spec: MachineSpec): MachineSpec {
  const hasEarlyAgent = findChannel(spec.devices, AGENT_PORT) !== undefined && !spec.kernelArgs.includes(EARLY_MOUNTS)
  return hasEarlyAgent && spec.devices.some(({ attachAfterRestore }) => attachAfterRestore !== undefined)
    ? { ...spec, attachesAfterRestore: true }
    : spec
}

/**
 * Returns the spec for the save of a running machine: devices are detached during the save if the guest has an agent.
 */
export function withDetachedDevices(spec: MachineSpec): MachineSpec {
  return { ...spec, attachesAfterRestore: findChannel(spec.devices, AGENT_PORT) !== undefined }
}

/**
 * The content of each device that can be attached after a restore; undefined for other devices.
 * @param digests folder of cached digests
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

/**
 * Identity of the differences between machines of one template: contents of devices, and paths that the guest cannot
 * see.
 */
export function attachmentIdentity(spec: MachineSpec, contents: readonly (string | undefined)[]): string {
  return JSON.stringify([
    spec.attachesAfterRestore ? spec.devices.map(({ attachAfterRestore }) => attachAfterRestore?.paths) : [],
    contents,
  ])
}

/** Positions of the devices whose content differs from that of the saved machine. */
export function changedPositions(
  contents: readonly (string | undefined)[],
  saved: readonly (string | null | undefined)[],
): readonly number[] {
  return [...contents.keys()].filter((position) => contents[position] !== (saved[position] ?? undefined))
}

/** Script that runs in the guest after a restore; may be empty. */
export function attachScript(spec: MachineSpec, changed: readonly number[] = []): string {
  return script(spec, (attachment, position) => [
    changed.includes(position) ? attachment.refresh?.({ position }) : undefined,
    attachment.attach?.(),
  ])
}

/**
 * Script that runs in the guest before a save; may be empty. If a device is in use, it attaches those before it again.
 */
export function detachScript(spec: MachineSpec): string {
  const again: string[] = []
  return script(
    spec,
    (attachment) => {
      const part = attachment.detach?.()
      if (part !== undefined) again.push(attachment.attach?.() ?? ':')
      return [part]
    },
    // Without the output of these parts, the error is that of the device in use.
    (index) => again.slice(0, index).map((part) => `(\n${part}\n) 2>/dev/null\n`),
  )
}

// Each part runs in its own shell, so that `exit` ends only that part. The first failure ends the script. The status is
// checked on a separate line, because `set -e` has no effect in a command before `||`.
function script(
  { attachesAfterRestore, devices }: MachineSpec,
  partsOf: (attachment: NonNullable<Device['attachAfterRestore']>, position: number) => readonly (string | undefined)[],
  undo: (index: number) => readonly string[] = () => [],
): string {
  if (!attachesAfterRestore) return ''
  const parts = devices.flatMap((device, position) =>
    device.attachAfterRestore ? partsOf(device.attachAfterRestore, position) : [],
  )
  return parts
    .filter((part) => part !== undefined)
    .map((part, index) => `(\n${part}\n)\nstatus=$?\n[ $status = 0 ] || {\n${undo(index).join('')}exit $status\n}`)
    .join('\n')
}

/** Runs commands in a guest. */
export interface ScriptRunner {
  /** Name of the machine. */
  readonly name: string
  run(command: string, options: RunOptions): Promise<unknown>
}

/** Timeout of an attachment, which normally takes about 10 ms. Milliseconds, before the multiplier. */
const ATTACH_MS = 20_000

/**
 * Runs a script with the agent of the guest, unless it is empty.
 * @throws MachineError `ATTACH_FAILED` with the output of the script
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
