/** The environment variable that this package reads. */
import { MkfatfsError } from '../errors.ts'

/** The latest time to store, in milliseconds since 1970. Source: reproducible-builds.org, specification of SOURCE_DATE_EPOCH. */
export function sourceDateEpoch(): number | undefined {
  const text = process.env['SOURCE_DATE_EPOCH']
  if (text === undefined || text === '') return undefined
  if (/^\d{1,12}$/.test(text)) return Number(text) * 1000
  throw new MkfatfsError(
    'INVALID_OPTION',
    `The environment variable SOURCE_DATE_EPOCH is "${text}", not seconds since 1970.`,
  )
}
