import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { blockDevice } from '@coldboot/core'
import { describe, expect, test } from '@coldboot/vitest'

describe('a prepared machine', () => {
  test.override('vmOptions', {
    prepare: async (vm) => {
      await vm.copyIn('fixtures', '/srv')
      await vm.run('httpd -h /srv')
    },
    templateKey: 'fixtures 1',
  })

  test('serves at once', async ({ vm }) => {
    const { stdout } = await vm.run('wget -q -O - http://127.0.0.1/greeting.txt')
    expect(stdout).toBe('hello from the host\n')
  })

  test('is not affected by other tests', async ({ vm }) => {
    await vm.run('rm /srv/greeting.txt')
  })
})

describe('a machine that is prepared in steps', () => {
  test.override('vmOptions', {
    prepare: [
      async (vm) => {
        await vm.copyIn('fixtures', '/srv')
      },
      async (vm) => {
        await vm.run('httpd -h /srv')
      },
    ],
    templateKey: ['fixtures 1', ''],
  })

  test('has the result of all steps', async ({ vm }) => {
    const { stdout } = await vm.run('wget -q -O - http://127.0.0.1/greeting.txt')
    expect(stdout).toBe('hello from the host\n')
  })
})

test.for(['first', 'second'])(
  'has the %s disk in a machine from one template',
  async (text, { bootVM, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), 'devices-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const image = join(folder, 'disk.img')
    writeFileSync(image, Buffer.alloc(1 << 20, `${text}\n`))

    const vm = await bootVM({ devices: [blockDevice(image, { perMachine: true })] })
    const { stdout } = await vm.run('head -n 1 /dev/sda')
    expect(stdout).toBe(`${text}\n`)
  },
)
