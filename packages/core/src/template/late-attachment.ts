/**
 * Devices whose guest side is made after a restore: a 9p directory, which no saved guest may have mounted, and shared
 * directories and disks of another content than the saved machine’s. See {@link Device.late}.
 */
import type { Device } from '../devices/device.ts'
import { EARLY_MOUNTS } from '../devices/helpers/guest-mount.ts'
import { AGENT_PORT, findChannel } from '../devices/helpers/guest-ports.ts'
import { fileDigest } from '../host/file-digest.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/** The machine as a template has it: attached late if the guest has an agent to be told by. */
export function attachedLate(spec: MachineSpec): MachineSpec {
  const canBeTold = findChannel(spec.devices, AGENT_PORT) !== undefined && !spec.kernelArgs.includes(EARLY_MOUNTS)
  return canBeTold && spec.devices.some(({ late }) => late !== undefined) ? { ...spec, late: true } : spec
}

/**
 * The content of each device that a restored guest can be shown anew; undefined of the others.
 * @param digests folder of remembered digests
 */
export async function lateContents(spec: MachineSpec, digests: string): Promise<readonly (string | undefined)[]> {
  if (!spec.late) return []
  const contentOf = async (device: Device): Promise<string | undefined> => {
    if (device.late?.refresh === undefined) return undefined
    if (device.contentIdentity !== undefined) return device.contentIdentity()
    return (await Promise.all((device.late.paths ?? []).map((path) => fileDigest(path, digests)))).join()
  }
  return Promise.all(spec.devices.map(contentOf))
}

/** What tells two machines of one template apart before anybody has them: contents, and paths that the guest does not know. */
export function lateIdentity(spec: MachineSpec, contents: readonly (string | undefined)[]): string {
  return JSON.stringify([spec.late ? spec.devices.map(({ late }) => late?.paths) : [], contents])
}

/** Positions of the devices whose content is not the saved machine’s. */
export function changedPositions(
  contents: readonly (string | undefined)[],
  saved: readonly (string | null | undefined)[],
): readonly number[] {
  return [...contents.keys()].filter((position) => contents[position] !== (saved[position] ?? undefined))
}

/** What the guest is to run after its restore; empty: nothing. */
export function attachScript(spec: MachineSpec, changed: readonly number[] = []): string {
  return script(spec, (late, position) => [
    changed.includes(position) ? late.refresh?.({ position }) : undefined,
    late.attach?.(),
  ])
}

/** What the guest is to run before it is saved; empty: nothing. */
export function detachScript(spec: MachineSpec): string {
  return script(spec, (late) => [late.detach?.()])
}

// Each in a shell of its own, so that an `exit` ends its part alone; the first that fails ends all. Its status is looked at
// in a line of its own: `set -e` means nothing in what `||` follows.
function script(
  { late, devices }: MachineSpec,
  partsOf: (late: NonNullable<Device['late']>, position: number) => readonly (string | undefined)[],
): string {
  if (!late) return ''
  const parts = devices.flatMap((device, position) => (device.late ? partsOf(device.late, position) : []))
  return parts
    .filter((part) => part !== undefined)
    .map((part) => `(\n${part}\n)\nstatus=$?\n[ $status = 0 ] || exit $status`)
    .join('\n')
}
