/**
 * Disk image with a Debian system made by debootstrap: systemd, a getty with password on the serial console, QEMU's
 * guest agent, an SSH server, cloud-init. It has no kernel and no boot loader. Built once per user and cached.
 */
import { execFile, execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Cache, fileSha256, readEnvironment, type StoredFile } from '@coldboot/core/internal'

const exec = promisify(execFile)

/** Packages besides the required and important ones. Without a seed, cloud-init disables itself. */
const PACKAGES = [
  ...['systemd-sysv', 'udev', 'qemu-guest-agent', 'openssh-server', 'iproute2', 'whiptail'],
  // python3-cffi-backend provides a virtual package that a library of cloud-init needs and debootstrap cannot resolve.
  ...['cloud-init', 'python3-cffi-backend'],
]

/** User for the login on the console. */
export const USER = 'tester'
export const PASSWORD = 'correct horse'

/** Size of the sparse image, with free space for tests. */
const IMAGE_BYTES = 2 ** 30

/** Directories that tests do not need, with most of the files. */
const SUPERFLUOUS = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/locale', 'usr/share/man']

/** Units that are not needed in tests: housekeeping, and a console that does not exist. */
const MASKED = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'getty@tty1.service',
  // cloud-init would start it, but most machines have no network card.
  'systemd-networkd-wait-online.service',
  // The Python packages would start it, but the kernel has no module for it.
  'systemd-binfmt.service',
]

// The address of the guest in QEMU's user network.
const NETWORK = `[Match]
Name=en* eth*
[Network]
Address=10.0.2.15/24
Gateway=10.0.2.2
`

/** Why the image cannot be built on this host; undefined if it can. */
export function noDebian(): string | undefined {
  if (hostRelease() === undefined) return 'this host is not Debian'
  if (process.getuid?.() !== 0) return 'debootstrap needs root'
  for (const command of ['debootstrap', 'mkfs.ext4']) {
    try {
      execFileSync('sh', ['-c', 'command -v "$0"', command])
    } catch {
      return `${command} is not installed on this host`
    }
  }
  return undefined
}

/**
 * Path of the image, from the cache, or built in about a minute by one of several processes. It has the Debian release
 * of the host, from the same mirror.
 * @throws the error of debootstrap
 */
export async function debianImage(): Promise<string> {
  const cache = new Cache(readEnvironment().cacheDirectory)
  const release = hostRelease() ?? 'stable'
  const recipe = createHash('sha256').update(await readFile(fileURLToPath(import.meta.url)))
  const name = `debian/${release}-${process.arch}-${recipe.digest('hex').slice(0, 32)}`
  const [image, record] = [`${name}.ext4`, `${name}.json`]
  const kept = async (): Promise<boolean> => {
    const stored = (await cache.readJson(record)) as StoredFile | undefined
    return stored !== undefined && (await cache.holds(stored))
  }
  if (await kept()) return cache.path(image)
  return cache.locked(record, async () => {
    if (await kept()) return cache.path(image)
    await cache.scratch(async (directory) => {
      const [root, file] = [join(directory, 'root'), join(directory, 'image')]
      await installDebian(release, root)
      await configure(root)
      await writeFile(file, '')
      await truncate(file, IMAGE_BYTES)
      // Without a journal, because writes of a machine are discarded.
      await exec('mkfs.ext4', ['-q', '-O', '^has_journal', '-L', 'debian', '-d', root, file])
      await removeOthers(cache)
      await cache.publish(record, JSON.stringify(await cache.adopt(image, file, await fileSha256(file))))
    })
    return cache.path(image)
  })
}

/** Codename, such as `bookworm`. */
function hostRelease(): string | undefined {
  const text = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : ''
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\w+)$/m.exec(text)?.[1] : undefined
}

/** Package mirror of the host. */
async function mirrorOf(release: string): Promise<string> {
  const words = ['indextargets', '--format', '$(RELEASE) $(REPO_URI)', 'Created-By: Packages', 'Component: main']
  const { stdout } = await exec('apt-get', words)
  const lines = stdout.split('\n').map((line) => line.split(' '))
  return lines.find(([name]) => name === release)?.[1] ?? 'http://deb.debian.org/debian'
}

/** Removes images that were built differently. Processes that use one keep it open. */
async function removeOthers(cache: Cache): Promise<void> {
  const names = await readdir(cache.path('debian')).catch(() => [])
  const images = names.filter((name) => /\.(?:ext4|json)$/.test(name))
  await Promise.all(images.map((name) => rm(cache.path(`debian/${name}`), { force: true })))
}

async function installDebian(release: string, root: string): Promise<void> {
  const words = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, release, root, await mirrorOf(release)]
  try {
    await exec('debootstrap', words, { maxBuffer: 2 ** 26 })
  } catch (cause) {
    const log = await readFile(join(root, 'debootstrap', 'debootstrap.log'), 'utf8').catch(() => '')
    throw new Error(`debootstrap failed. The end of its log:\n${log.slice(-3000)}`, { cause })
  }
}

async function configure(root: string): Promise<void> {
  const at = (path: string): string => join(root, path)
  const inside = (...words: string[]) => exec('chroot', [root, ...words])
  for (const path of SUPERFLUOUS) await rm(at(path), { recursive: true, force: true })
  await mkdir(at('var/cache/apt/archives/partial'), { recursive: true })
  await writeFile(at('etc/hostname'), 'debian\n')
  await writeFile(at('etc/fstab'), '/dev/vda / ext4 defaults 0 1\n')
  await writeFile(at('etc/systemd/network/ethernet.network'), NETWORK)
  await inside('useradd', '--create-home', '--shell', '/bin/bash', USER)
  execFileSync('chroot', [root, 'chpasswd'], { input: `${USER}:${PASSWORD}\n` })
  await inside('systemctl', 'enable', 'systemd-networkd.service')
  await inside('systemctl', 'mask', ...MASKED)
  // The image has no locales.
  await writeFile(at('etc/cloud/cloud.cfg.d/99_test.cfg'), 'locale: false\n')
  // A machine id avoids the work of a first boot.
  await writeFile(at('etc/machine-id'), `${createHash('md5').update(PASSWORD).digest('hex')}\n`)
  for (const path of ['etc/.updated', 'var/.updated']) await writeFile(at(path), '')
}
