/** Replaces addresses in the call trace of a kernel without `CONFIG_KALLSYMS` by names from its System.map. */
import { readFileSync } from 'node:fs'

/** An address that the kernel prints instead of a function. */
const ADDRESS = /\b0x([0-9a-f]{8,16})\b(?![+/])/g
/** A line with an instruction pointer. All other addresses are return addresses. */
const POINTER = /\b(?:RIP: |EIP: |e?pc : |PC is at )/
/** Distance of a relocated kernel (KASLR) from the addresses of its System.map. */
const OFFSET = /Kernel Offset: (0x[0-9a-f]+) from/
const TEXT_SYMBOL = /^([0-9a-f]{8,16}) [tTwW] (\S+)$/gm

interface Symbols {
  /** Addresses in ascending order, as hexadecimal strings of equal length. */
  readonly addresses: readonly string[]
  readonly names: readonly string[]
}

/** Replaces addresses by functions in the format of the kernel, `name+0x10/0x20`. @param systemMap path of the file */
export function nameAddresses(excerpt: string, systemMap: string): string {
  if (excerpt.search(ADDRESS) < 0) return excerpt
  const symbols = readSymbols(systemMap)
  const offset = BigInt(OFFSET.exec(excerpt)?.[1] ?? 0)
  const named = (line: string): string => {
    const back = POINTER.test(line) ? 0n : 1n
    return line.replace(ADDRESS, (text) => functionAt(symbols, BigInt(text) - offset, back) ?? text)
  }
  return excerpt.split('\n').map(named).join('\n')
}

/** Reads a System.map. Empty if the file cannot be read, so that the failure is reported with addresses. */
function readSymbols(path: string): Symbols {
  try {
    const lines = [...readFileSync(path, 'latin1').matchAll(TEXT_SYMBOL)]
    return { addresses: lines.map(([, address = '']) => address), names: lines.map(([, , name = '']) => name) }
  } catch {
    return { addresses: [], names: [] }
  }
}

/**
 * @param back subtracted before the search, because the return address of a last call is after the end of its function
 */
function functionAt({ addresses, names }: Symbols, address: bigint, back: bigint): string | undefined {
  const width = addresses[0]?.length ?? 0
  const wanted = (address - back).toString(16).padStart(width, '0')
  const next = firstAfter(addresses, wanted)
  // The size of the last function is unknown.
  if (next < 1 || next === addresses.length) return undefined
  const [start, end] = [BigInt(`0x${addresses[next - 1]}`), BigInt(`0x${addresses[next]}`)]
  return `${names[next - 1]}+0x${(address - start).toString(16)}/0x${(end - start).toString(16)}`
}

function firstAfter(addresses: readonly string[], wanted: string): number {
  let [low, high] = [0, addresses.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((addresses[middle] ?? '') > wanted) high = middle
    else low = middle + 1
  }
  return low
}
