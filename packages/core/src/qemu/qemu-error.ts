/** Extracts the error from the output of QEMU, and a hint for it. */
import type { MachineSpec } from '../spec/machine-spec.ts'

/** Finds the line with the error. It starts with the name of QEMU. Warnings or a tip may surround it. */
export function extractQemuError(printed: string): string {
  const lines = printed.trim().split('\n')
  const own = lines.filter((line) => /^qemu[\w.-]*: /.test(line) && !/: (?:warning|info): /.test(line))
  return own.at(-1) ?? lines.at(-1) ?? ''
}

const NO_MEMORY = /cannot set up guest memory|Cannot allocate memory/
const LOCKED_IMAGE = /Failed to get "write" lock|Failed to lock byte/
const USED_PORT = /Could not set up host forwarding rule/

/** Whether another process uses a resource of the host that QEMU needs, so that the saved state is not the reason. */
export function isHostConflict(printed: string): boolean {
  return [NO_MEMORY, LOCKED_IMAGE, USED_PORT].some((pattern) => pattern.test(printed))
}

/** A hint that names the option to change; undefined if there is none for this error. */
export function hintFor(
  printed: string,
  spec: Pick<MachineSpec, 'arch' | 'kernel' | 'machine' | 'cpu'>,
): string | undefined {
  const { arch, kernel, machine, cpu } = spec
  if (/invalid kernel header|could not load kernel|linux kernel too old|not a supported kernel/i.test(printed)) {
    return `\`kernel\` is not a kernel image that QEMU can load for ${arch}: ${kernel}`
  }
  if (/unsupported machine type/.test(printed)) {
    return `There is no \`machine\` "${machine}" for ${arch}. \`qemu-system-${arch} -machine help\` lists the machine types.`
  }
  if (/unable to find CPU model/.test(printed)) {
    return `There is no \`cpu\` "${cpu}" for ${arch}. \`qemu-system-${arch} -cpu help\` lists the CPU models.`
  }
  if (/could not load PC BIOS|Could not find ROM image|could not load firmware/i.test(printed)) {
    return "`firmware` is not a path of a file or a name in QEMU's data folder. UEFI is `firmware: 'uefi'`."
  }
  if (/Could not access KVM kernel module|failed to initialize kvm/.test(printed)) {
    return 'This host does not let this user use /dev/kvm. Without `accelerator`, the fastest one that works is chosen.'
  }
  if (/: -\S+ [^:]*: invalid option$/m.test(printed)) {
    return "Pass each word as a string of its own, for example `arbitraryArgs('-device', 'edu')`."
  }
  if (NO_MEMORY.test(printed)) {
    return 'The host does not have enough free memory. Give the machine less `memory`, or run fewer machines at once (`maxMachines`).'
  }
  if (LOCKED_IMAGE.test(printed)) {
    return 'Another process uses the image, for example a QEMU started by hand, or a machine with `overlay: false`.'
  }
  if (USED_PORT.test(printed)) {
    return 'Another process of the host uses the port. Without `host` in `forward`, a free one is taken.'
  }
  return undefined
}
