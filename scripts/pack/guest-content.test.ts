import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { findGuestPackage, missingModule, packagedKernel } from '../../packages/guest/src/guest-package.ts'
import { readModule } from '../../packages/guest/src/modules.ts'
import { makeModule } from '../../packages/guest/test/make-elf.ts'
import { guestFiles } from './guest-content.mjs'
import { writeContent } from './package-content.mjs'

type Input = Parameters<typeof guestFiles>[0]

function moduleOf(path: string, fields: readonly string[]): Input['modules'][number] {
  const data = makeModule(fields)
  return { module: readModule(path, data, sha256(data)), data }
}

function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

test('packs selected modules with their dependencies, and the names of all others', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'guest-content-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const files = guestFiles({
    arch: 's390x',
    id: 'linux-image-6.1_6.1-1_s390x',
    release: '6.1',
    image: Buffer.from('kernel'),
    modules: [
      moduleOf('kernel/fs/xfs/xfs.ko', ['depends=helper', 'alias=fs-xfs']),
      moduleOf('kernel/lib/helper.ko', ['depends=']),
      moduleOf('kernel/drivers/odd-one.ko', ['depends=', 'alias=pci:v1*', 'alias=plain-alias']),
    ],
    builtIn: ['zlib'],
    busybox: { path: 'busybox', data: Buffer.from('busybox') },
  })
  const folder = join(directory, 'node_modules/@coldboot/guest-s390x')
  await writeContent(folder, { key: 'k', files: new Map(files.map(({ path, data }) => [path, { data }])), parts: [] })

  const guest = findGuestPackage('s390x', [join(directory, 'package.json')])
  if (guest === undefined) throw new Error('The package was not found')
  const kernel = packagedKernel(guest)
  expect([kernel.id, kernel.release, kernel.image]).toEqual([
    'linux-image-6.1_6.1-1_s390x',
    '6.1',
    join(folder, 'vmlinuz'),
  ])
  const { files: loaded, builtIn } = await kernel.readModules(['fs-xfs'])
  expect(loaded.map(({ module }) => module.name)).toEqual(['helper', 'xfs'])
  expect(builtIn).toEqual(['zlib'])
  expect(files.map(({ path }) => path)).not.toContain('modules/kernel/drivers/odd-one.ko')
  for (const name of ['odd_one', 'odd-one', 'plain-alias']) expect(await missingModule(guest, [name])).toBe(name)
  expect(await missingModule(guest, ['xfs', 'zlib', 'helper'])).toBeUndefined()
})
