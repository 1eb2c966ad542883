import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, kernelOf, linuxGuest, test } from '@coldboot/vitest'

/** Folders of ./get-kernel.sh, one for each version. */
const KERNELS = resolve(process.env['KERNELS'] ?? 'kernels')

/** Builds the module against the headers of a kernel. */
function build(version: string): string {
  const folder = resolve('build', version)
  cpSync('module', folder, { recursive: true })
  const headers = join(KERNELS, version, 'usr/src', `linux-headers-${version}`)
  execFileSync('make', ['-C', headers, `M=${folder}`, 'modules'], { stdio: 'pipe' })
  return join(folder, 'counter.ko')
}

const guests = await Promise.all(
  readdirSync(KERNELS).map(async (version) => {
    const kernel = await kernelOf({ deb: join(KERNELS, version, 'image.deb') })
    const files = { '/root/counter.ko': { source: build(version) } }
    return { release: kernel.release, guest: await linuxGuest({ kernel, files }) }
  }),
)

describe.each(guests)('Linux $release', ({ release, guest }) => {
  test.override('vmOptions', guest)

  test('counts, and is unloaded', async ({ vm }) => {
    expect((await vm.run('uname -r')).stdout).toBe(`${release}\n`)
    await vm.run('insmod /root/counter.ko')
    await expect(vm).toRun('cat /dev/counter /dev/counter', { stdout: '1\n2' })
    await vm.run('rmmod counter')
    await expect(vm).toRun('cat /dev/counter', { exitCode: 1, stderr: /No such file/ })
  })

  test('passes its own tests', async ({ vm }) => {
    const { tests } = await vm.runTests('insmod /root/counter.ko selftest=1 && dmesg', { format: 'ktap' })
    expect(tests.map(({ name }) => name)).toEqual(['starts with 1', 'counts by 1'])
  })

  test('stays loaded while its device is open', async ({ vm }) => {
    await vm.run('insmod /root/counter.ko')
    await expect(vm).toRun('exec 3</dev/counter; rmmod counter', { exitCode: 1, stderr: /busy|unavailable/i })
  })
})
