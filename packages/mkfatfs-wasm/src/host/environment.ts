/** Reads the environment variable SOURCE_DATE_EPOCH. */
import { MkfatfsError } from '../errors.ts'

/** Returns the latest time to store, milliseconds since 1970. Source: specification of SOURCE_DATE_EPOCH, reproducible-builds.org. */
export function sourceDateEpoch(): number | undefined {
  const text = process.env['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '') return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  throw new MkfatfsError(
    'INVALID_OPTION',
    `The environment variable SOURCE_DATE_EPOCH is "${text}", not seconds since 1970.`,
  )
}
