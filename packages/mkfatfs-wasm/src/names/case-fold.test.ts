import * as FatFs from 'js-fatfs'
import { expect, test } from 'vitest'
import { loadScratchVolume } from '../../test/scratch-volume.ts'
import { foldCase } from './case-fold.ts'

test.for([
  ['Foo', 'fOO'],
  ['ÄÖÜ', 'äöü'],
  ['ΣΑΣ', 'σας'],
  ['Жук', 'жУК'],
  ['ǅ', 'ǆ'],
  ['ᾳ', 'ᾼ'],
] as const)('"%s" and "%s" are one name', ([a, b]) => {
  expect(foldCase(a)).toBe(foldCase(b))
})

test.for([
  ['a', 'b'],
  ['ß', 's'],
  ['ß', 'ss'],
  ['é', 'e'],
  ['é', 'e\u0301'],
] as const)('"%s" and "%s" are two names', ([a, b]) => {
  expect(foldCase(a)).not.toBe(foldCase(b))
})

test('folds letters to the same text if FatFs considers them equal', async () => {
  const fatfs = await loadScratchVolume()
  const file = fatfs.malloc(FatFs.sizeof_FIL)
  let pairs = 0
  for (let code = 0x80; code < 0x10000; code++) {
    const unit = String.fromCharCode(code)
    const others = new Set([unit.toUpperCase(), unit.toLowerCase(), unit.toUpperCase().toLowerCase()])
    others.delete(unit)
    if (others.size === 0 || !unit.isWellFormed()) continue
    expect(fatfs.f_open(file, unit, FatFs.FA_CREATE_NEW | FatFs.FA_WRITE), unit).toBe(FatFs.FR_OK)
    fatfs.f_close(file)
    for (const other of others) {
      const isOne = fatfs.f_stat(other, 0) === FatFs.FR_OK
      if (!isOne) continue
      pairs++
      expect(foldCase(other), `${unit} ${other}`).toBe(foldCase(unit))
    }
    expect(fatfs.f_unlink(unit)).toBe(FatFs.FR_OK)
  }
  expect(pairs).toBeGreaterThan(1000)
})
