import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { chooseVolume } from './choose-volume.ts'
import { type Formatter, loadFormatter } from './formatter.ts'
import { clusterBytes, type FatType, type Geometry } from './geometry.ts'
import type { Measure } from './measure.ts'

const layout = {
  format: { sectorBytes: 512, fats: 2, alignment: 8 },
  clusterBytes: 0,
  rootSlots: 512,
  overhead: 0,
  container: 'image',
} as const
const MIB = 2 ** 20
let format: Formatter
beforeAll(async () => {
  format = await loadFormatter()
})

/** Measure of a tree with files of these sizes in the root. */
function measureOf(sizes: readonly number[], rootSlots = sizes.length): Measure {
  return {
    rootSlots,
    leastBytes: sizes.reduce((sum, size) => sum + size, 0),
    clusters(geometry) {
      const bytes = clusterBytes(geometry)
      const root = geometry.type === 'fat32' ? Math.max(1, Math.ceil((rootSlots * 32) / bytes)) : 0
      return root + sizes.reduce((sum, size) => sum + Math.ceil(size / bytes), 0)
    },
  }
}

/** Whether the number of clusters is within 15 of a limit at which readers disagree about the type. */
function isNearBorder({ clusters }: Geometry): boolean {
  return [4085, 65_525].some((border) => Math.abs(clusters - border) < 16)
}

const workloads = fc
  .tuple(fc.integer({ min: 0, max: 3000 }), fc.constantFrom(1, 512, 1000, 5000, 70_000, 3_000_000))
  .map(([count, size]) =>
    measureOf(
      Array.from({ length: count }, (_, index) => 1 + ((size * (index % 7)) >> 2)),
      count,
    ),
  )

describe('a volume that fits', () => {
  test('has space for the tree, and wastes less than 2 % plus 64 KiB', () => {
    fc.assert(
      fc.property(workloads, (measure) => {
        const { geometry } = chooseVolume(format, measure, { type: 'auto', size: 'fit', ...layout })
        const spare = geometry.clusters - measure.clusters(geometry)
        expect(spare).toBeGreaterThanOrEqual(0)
        expect(spare * clusterBytes(geometry)).toBeLessThan(geometry.sectors * 512 * 0.02 + 65_536)
        expect(isNearBorder(geometry)).toBe(false)
      }),
    )
  })

  test('has the type and the cluster size that FatFs selects for a volume of its size', () => {
    fc.assert(
      fc.property(workloads, (measure) => {
        const { geometry } = chooseVolume(format, measure, { type: 'auto', size: 'fit', ...layout })
        const rootSlots = Math.max(512, Math.ceil(measure.rootSlots / 16) * 16)
        const own = format({
          ...layout.format,
          sectors: geometry.sectors,
          family: 'any',
          sectorsPerCluster: 0,
          rootSlots,
        })
        expect(geometry).toEqual(own?.geometry)
      }),
    )
  })

  test.for(['fat12', 'fat16', 'fat32'] as const)('has the requested type %s', (type) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 * MIB }), (size) => {
        const measure = measureOf([size])
        const { geometry } = chooseVolume(format, measure, { type, size: 'fit', ...layout })
        expect(geometry.type).toBe(type)
        expect(geometry.clusters).toBeGreaterThanOrEqual(measure.clusters(geometry))
        expect(isNearBorder(geometry)).toBe(false)
      }),
      { numRuns: 40 },
    )
  })

  test('avoids sizes at which readers disagree about the type', () => {
    for (let clusters = 4060; clusters < 4110; clusters++) {
      const { geometry } = chooseVolume(format, measureOf([clusters * 1024]), { type: 'auto', size: 'fit', ...layout })
      expect(isNearBorder(geometry), `${clusters} clusters of data`).toBe(false)
    }
  })

  test('has two FATs, and its data on pages of 4 KiB', () => {
    fc.assert(
      fc.property(workloads, (measure) => {
        const { geometry } = chooseVolume(format, measure, { type: 'auto', size: 'fit', ...layout })
        expect([geometry.fats, geometry.dataStart % 8]).toEqual([2, 0])
      }),
    )
  })

  test('becomes FAT32 when the root directory has more entries than FAT16 allows', () => {
    const { geometry } = chooseVolume(format, measureOf([], 40_000), { type: 'auto', size: 'fit', ...layout })
    expect(geometry).toMatchObject({ type: 'fat32', rootSlots: 0 })
  })

  test('has a root directory as large as it needs to be', () => {
    const { geometry } = chooseVolume(format, measureOf([], 20_000), { type: 'auto', size: 'fit', ...layout })
    expect(geometry).toMatchObject({ type: 'fat12', rootSlots: 20_000 })
  })
})

describe('a volume of a given size', () => {
  test.for([
    ['1M', 'fat12', 512],
    ['32M', 'fat16', 4096],
    ['512M', 'fat16', 16_384],
    ['4G', 'fat32', 32_768],
  ] as const)('of %s is %s with clusters of %i bytes, like a volume of FatFs', ([size, type, bytes]) => {
    const sizes = { '1M': MIB, '32M': 32 * MIB, '512M': 512 * MIB, '4G': 4096 * MIB }
    const { geometry } = chooseVolume(format, measureOf([1000]), { type: 'auto', size: sizes[size], ...layout })
    expect({ type: geometry.type, bytes: clusterBytes(geometry), size: geometry.sectors * 512 }).toEqual({
      type,
      bytes,
      size: sizes[size],
    })
  })

  test('uses smaller clusters if many small files would not fit otherwise', () => {
    const measure = measureOf(Array.from({ length: 20_000 }, () => 512))
    const { geometry } = chooseVolume(format, measure, { type: 'auto', size: 32 * MIB, ...layout })
    expect(clusterBytes(geometry)).toBeLessThan(4096)
  })

  test('avoids sizes at which readers disagree about the type', () => {
    // At 512 bytes per cluster, FatFs would create 4,080 to 4,090 clusters.
    for (let sectors = 4100; sectors < 4160; sectors++) {
      const wish = { type: 'auto', size: sectors * 512, ...layout } as const
      expect(isNearBorder(chooseVolume(format, measureOf([]), wish).geometry)).toBe(false)
    }
  })

  test('refuses a size that is too small, with both sizes', () => {
    const wish = { type: 'auto', size: MIB, ...layout, overhead: MIB } as const
    expect(() => chooseVolume(format, measureOf([3 * MIB]), wish)).toThrow(
      expect.objectContaining({
        code: 'IMAGE_TOO_SMALL',
        message: expect.stringMatching(
          /needs an image of 4 MiB \(4,\d{3},\d{3} bytes\), `size` is 1 MiB \(1,048,576 bytes\)/,
        ),
      }),
    )
  })
})

test.for<[string, FatType, number | 'fit', number]>([
  ['more than FAT12 can hold', 'fat12', 'fit', 300 * MIB],
  ['more root entries than FAT16 can have', 'fat16', 'fit', -1],
  ['an image too large for FAT12', 'fat12', 1024 * MIB, 1000],
  ['an image too small for FAT32', 'fat32', 2 * MIB, 1000],
])('refuses %s', ([, type, size, bytes]) => {
  const measure = bytes < 0 ? measureOf([], 40_000) : measureOf([bytes])
  expect(() => chooseVolume(format, measure, { type, size, ...layout })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(TYPE_IMPOSSIBLE|IMAGE_TOO_SMALL)$/) }),
  )
})
