/** Creates the files, kernel arguments and device that boot the root file system of the host. */
import { resolve } from 'node:path'
import { type Device, optionString, StartError } from '@coldboot/core'
import {
  ARCHITECTURES,
  Cache,
  type CheckTable,
  checkTable,
  hostArchitecture,
  isString,
  readEnvironment,
} from '@coldboot/core/internal'
import { linuxGuest } from '../linux-guest.ts'
import { type HostDirectory, type HostView, viewHost } from './host-directories.ts'
import type { HostRootOptions } from './host-root.ts'
import { joinedInitramfs, requireOwnInitramfs, rootKernelArgs } from './joined-initramfs.ts'
import { overlay, quoted, rootScript } from './root-script.ts'
import { DEFAULT_PATH } from './root-start.ts'
import type { RootfsGuest } from './rootfs.ts'
import { GUEST_PART_CHECKS } from './rootfs-options.ts'

const CHECKS: CheckTable<Required<HostRootOptions>> = {
  overlay: ["'tmpfs' or false", (value) => value === 'tmpfs' || value === false],
  show: [
    'a list of paths',
    (value) => Array.isArray(value) && value.every((path) => isString(path) && path !== '' && !/[\0\n]/.test(path)),
  ],
  ...GUEST_PART_CHECKS,
}

// cache=loose assumes that the host does not change files while the guest runs.
const MOUNT_OPTIONS = 'ro,trans=virtio,version=9p2000.L,msize=262144,cache=loose'
const MEMORY = '512M'

/** Implements `hostRoot`. */
export async function makeHostRoot(options: HostRootOptions): Promise<RootfsGuest> {
  checkTable('hostRoot', options, CHECKS)
  const { overlay: layer = 'tmpfs', show = [], ...part } = options
  requireOwnInitramfs('hostRoot')
  const arch = hostArchitecture()
  if (process.platform !== 'linux' || arch === undefined) {
    const hint = 'Use `rootfs()` with a container image instead.'
    throw new StartError('UNSUPPORTED_PLATFORM', 'hostRoot needs a Linux host with an architecture of guests', {
      hint,
    })
  }
  const view = viewHost(show.map((path) => resolve(path)))
  const environment = readEnvironment()
  const modules = environment.kernel === undefined ? ['overlay', ...(part.modules ?? [])] : part.modules
  const guest = await linuxGuest({ ...part, arch, modules })
  const script = rootScript({
    mount: mountHost(view, layer === 'tmpfs'),
    start: { kind: 'shell' },
    env: { PATH: DEFAULT_PATH },
    home: '/root',
    writable: true,
  })
  const cache = new Cache(part.cacheDirectory ?? environment.cacheDirectory)
  const initramfs = await joinedInitramfs(cache, { guest, script })
  return {
    ...guest,
    initramfs: cache.path(initramfs.name),
    kernelArgs: rootKernelArgs(guest),
    memory: MEMORY,
    devices: [hostDirectories(view.directories)],
  }
}

function tagAt(position: number): string {
  return `coldboot.host${position}`
}

/** Shell lines that mount the directories below `/newroot`, which is a tmpfs. */
function mountHost({ directories, links, hidden }: HostView, isWritable: boolean): readonly string[] {
  const lines = [
    'mount -t tmpfs -o mode=755 tmpfs /newroot',
    'mkdir -p -m 755 /newroot/proc /newroot/sys /newroot/dev /newroot/run /newroot/home /newroot/mnt',
    'mkdir -m 1777 /newroot/tmp; mkdir -m 700 /newroot/root',
    ...Object.entries(links).map(([path, target]) => `ln -s ${quoted(target)} ${quoted(`/newroot${path}`)}`),
  ]
  for (const [position, { path }] of directories.entries()) {
    const where = `/newroot${path}`
    const lower = isWritable ? `/lower/${position}` : where
    lines.push(
      `mkdir -p ${quoted(where)} ${quoted(lower)}`,
      `mount -t 9p -o ${MOUNT_OPTIONS} ${tagAt(position)} ${quoted(lower)} || fail "A directory of the host cannot be mounted"`,
      ...(isWritable ? overlay(lower, where) : []),
    )
  }
  for (const path of hidden) lines.push(`mount -t tmpfs -o mode=755 tmpfs ${quoted(`/newroot${path}`)}`)
  return lines
}

/** A device that exports each directory separately and read-only. */
function hostDirectories(directories: readonly HostDirectory[]): Device {
  return {
    name: 'hostRoot',
    claims: directories.map((_, position) => `tag:${tagAt(position)}`),
    unsavable: 'has the root of the host as its own',
    qemuArgs(context) {
      const model = `virtio-9p-${ARCHITECTURES[context.arch].virtioTransport}`
      return directories.flatMap(({ path, refusesMounts }, position) => {
        const id = context.id('host')
        const multidevs = refusesMounts ? 'forbid' : 'remap'
        const values = { id, path, security_model: 'none', readonly: true, multidevs }
        return [
          ...['-fsdev', optionString('local', values)],
          ...['-device', optionString(model, { fsdev: id, mount_tag: tagAt(position) })],
        ]
      })
    },
  }
}
