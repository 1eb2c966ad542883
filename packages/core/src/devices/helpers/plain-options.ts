/** Options of a device as plain data, for {@link PortableDevice}. */
import type { PlainValue } from '../device.ts'

/** The options without undefined values. The checks of the device ensure that they are plain data. */
export function plainOptions(options: object): Record<string, PlainValue> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<
    string,
    PlainValue
  >
}
