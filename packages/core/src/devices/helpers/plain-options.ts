/** Options of a device as plain data, for {@link PortableDevice}. */
import type { PlainValue } from '../device.ts'

/** The options that are given. They have passed the device's checks, so that they are plain. */
export function plainOptions(options: object): Record<string, PlainValue> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Record<
    string,
    PlainValue
  >
}
