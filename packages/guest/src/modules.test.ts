import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { makeModule } from '../test/make-elf.ts'
import {
  type KernelModule,
  loadOrder,
  type ModuleIndex,
  moduleName,
  modulesAlias,
  modulesDep,
  parseBuiltIn,
  readModule,
} from './modules.ts'

function indexOf(needs: Readonly<Record<string, readonly string[]>>, extra: Partial<ModuleIndex> = {}): ModuleIndex {
  const entries = Object.entries(needs).map(([name, depends]): [string, KernelModule] => [
    name,
    { name, path: `kernel/${name}.ko`, sha256: '', depends, softDepends: [], aliases: [] },
  ])
  return { modules: Object.fromEntries(entries), builtIn: [], ...extra }
}
const names = (modules: readonly KernelModule[]): string[] => modules.map(({ name }) => name)

describe('readModule', () => {
  test('reads dependencies, soft dependencies and aliases from the module', () => {
    const file = makeModule([
      'license=GPL',
      'depends=netfs,9pnet',
      'softdep=pre: crc32c-x post: late',
      'alias=fs-9p',
      'alias=pci:v1*',
    ])
    expect(readModule('kernel/fs/9p/9p.ko', file, 'abc')).toEqual({
      name: '9p',
      path: 'kernel/fs/9p/9p.ko',
      sha256: 'abc',
      depends: ['netfs', '9pnet'],
      softDepends: ['crc32c_x'],
      aliases: ['fs-9p', 'pci:v1*'],
    })
  })

  test('accepts a module without dependencies', () => {
    expect(readModule('kernel/a.ko', makeModule(['depends=']), '').depends).toEqual([])
    expect(readModule('kernel/a.ko', Buffer.from('not ELF'), '').depends).toEqual([])
  })
})

test('names a module like the kernel does', () => {
  expect(moduleName('kernel/drivers/char/hw_random/virtio-rng.ko.xz')).toBe('virtio_rng')
  expect(parseBuiltIn('kernel/fs/ext4/ext4.ko\nkernel/lib/a-b.ko\n')).toEqual(['ext4', 'a_b'])
})

describe('loadOrder', () => {
  test('puts the dependencies of a module before it, once', () => {
    const index = indexOf({
      '9p': ['9pnet', 'netfs'],
      '9pnet': [],
      netfs: ['fscache'],
      fscache: [],
      '9pnet_virtio': ['9pnet'],
    })
    expect(names(loadOrder(index, ['9p', '9pnet_virtio']))).toEqual(['9pnet', 'fscache', 'netfs', '9p', '9pnet_virtio'])
  })

  test('keeps the requested order', () => {
    expect(names(loadOrder(indexOf({ a: [], b: [] }), ['b', 'a']))).toEqual(['b', 'a'])
  })

  test('omits built-in modules, whether requested or needed', () => {
    const index = indexOf({ vfat: ['fat', 'nls_base'], fat: [] }, { builtIn: ['ext4', 'nls_base'] })
    expect(names(loadOrder(index, ['ext4', 'vfat']))).toEqual(['fat', 'vfat'])
  })

  test('loads existing soft dependencies first', () => {
    const { modules } = indexOf({ btrfs: [], crc: [] })
    const btrfs = { ...modules['btrfs'], softDepends: ['crc', 'absent'] } as KernelModule
    expect(names(loadOrder({ modules: { ...modules, btrfs }, builtIn: [] }, ['btrfs']))).toEqual(['crc', 'btrfs'])
  })

  test('resolves a soft dependency by alias to the module for any CPU', () => {
    const { modules } = indexOf({ ext4: [], crc_fast: [], crc_plain: [] })
    const ext4 = { ...modules['ext4'], softDepends: ['crypto_crc'] } as KernelModule
    const fast = { ...modules['crc_fast'], aliases: ['crypto-crc', 'cpu:type:x86,ven*'] } as KernelModule
    const plain = { ...modules['crc_plain'], aliases: ['crypto-crc'] } as KernelModule
    const index = { modules: { ext4, crc_fast: fast, crc_plain: plain }, builtIn: [] }
    expect(names(loadOrder(index, ['ext4']))).toEqual(['crc_plain', 'ext4'])
  })

  test('finds a module by its name with dashes and by an alias', () => {
    const { modules } = indexOf({ virtio_rng: [] })
    const virtioRng = { ...modules['virtio_rng'], aliases: ['char-hwrng'] } as KernelModule
    const index = { modules: { virtio_rng: virtioRng }, builtIn: [] }
    expect(names(loadOrder(index, ['virtio-rng']))).toEqual(['virtio_rng'])
    expect(names(loadOrder(index, ['char-hwrng']))).toEqual(['virtio_rng'])
  })

  test('names a module that does not exist, and suggests the nearest name', () => {
    expect(() => loadOrder(indexOf({ virtio_net: [] }), ['virtio_nte'])).toThrow(
      expect.objectContaining({
        code: 'GUEST_MODULE_MISSING',
        shortMessage: 'The kernel has no module `virtio_nte`; did you mean `virtio_net`?',
      }),
    )
  })

  test('names the module that needs a missing module', () => {
    expect(() => loadOrder(indexOf({ a: ['gone_for_good'] }), ['a'])).toThrow(/`gone_for_good`, which `a` needs/)
  })

  test('terminates when modules depend on each other', () => {
    expect(names(loadOrder(indexOf({ a: ['b'], b: ['a'] }), ['a']))).toEqual(['b', 'a'])
  })

  test('puts every dependency before its dependents in any acyclic graph', () => {
    const graph = fc
      .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
      .map((needs) =>
        Object.fromEntries(
          needs.map((list, at) => [`m${at}`, at === 0 ? [] : [...new Set(list.map((n) => `m${n % at}`))]]),
        ),
      )
    fc.assert(
      fc.property(graph, (needs) => {
        const order = names(loadOrder(indexOf(needs), Object.keys(needs)))
        expect(new Set(order)).toEqual(new Set(Object.keys(needs)))
        for (const [name, list] of Object.entries(needs)) {
          for (const needed of list) expect(order.indexOf(needed)).toBeLessThan(order.indexOf(name))
        }
      }),
    )
  })
})

test('modules.dep lists all dependencies of a module, the deepest last', () => {
  const index = indexOf({ a: ['b'], b: ['c'], c: [] })
  expect(modulesDep(index, loadOrder(index, ['a']))).toBe(
    'kernel/c.ko:\nkernel/b.ko: kernel/c.ko\nkernel/a.ko: kernel/b.ko kernel/c.ko\n',
  )
})

test('modules.alias has a line for each alias', () => {
  const module = readModule('kernel/9p.ko', makeModule(['alias=fs-9p', 'alias=other']), '')
  expect(modulesAlias([module])).toBe('alias fs-9p 9p\nalias other 9p\n')
})
