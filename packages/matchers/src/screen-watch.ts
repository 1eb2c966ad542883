/**
 * Reads a screen repeatedly until a reading is accepted.
 *
 * QMP has no event for a changed screen, so the screen is polled. A pause after each reading lets the guest run.
 */
import { ColdbootError } from '@coldboot/core'
import { pause, within } from './machine-wait.ts'
import type { MatcherVM } from './matcher-vm.ts'
import type { WaitWindow } from './wait-window.ts'

/** Pause between two readings, milliseconds. A screenshot takes 10 to 30 ms. */
const PAUSE_MS = 50

/** The outcome of a watch. */
export interface Seen<T, View> {
  /** The value that `look` returned; undefined if the time was up or the guest failed first. */
  readonly found: T | undefined
  /** The last reading; undefined if there was none in time. */
  readonly last: View | undefined
  /** The error that ended the watch: the machine ended, or QEMU refused to take a screenshot. */
  readonly error: ColdbootError | undefined
}

/** Parameters of {@link watchScreen}. */
export interface Watch<T, View> {
  readonly vm: MatcherVM
  readonly window: WaitWindow
  /** Reads the screen. */
  readonly take: () => Promise<View>
  /** Accepts a reading by returning a value. @param last the reading before it */
  readonly look: (view: View, last: View | undefined) => T | undefined
  /** Whether to continue after a failure of the guest. @default false */
  readonly isPatient?: boolean
}

/** Passes each reading to `look` until it returns a value. */
export async function watchScreen<T extends object, View>(watch: Watch<T, View>): Promise<Seen<T, View>> {
  const { vm, window, take, look, isPatient = false } = watch
  let [over, last]: [boolean, View | undefined] = [false, undefined]
  const failed = (): boolean => !isPatient && vm.incidents.some(({ allowed }) => !allowed)
  const watching = async (): Promise<T | undefined> => {
    while (!over) {
      const view = await take()
      const before = last
      last = view
      const found = look(view, before)
      if (found !== undefined || failed()) return found
      await pause(PAUSE_MS)
    }
    return undefined
  }
  try {
    const found = await within(vm, window, watching())
    return { found: typeof found === 'symbol' ? undefined : found, last, error: undefined }
  } catch (error) {
    if (!ColdbootError.is(error) || !['MACHINE_EXITED', 'QMP_FAILED'].includes(error.code)) throw error
    return { found: undefined, last, error }
  } finally {
    over = true
  }
}
