/**
 * Takes screenshots of a screen until one is accepted.
 *
 * QMP has no event for a changed screen, so the screen is polled. A pause after each screenshot lets the guest run.
 */
import { ColdbootError, type Screen } from '@coldboot/core'
import { pause, within } from '../machine-wait.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import type { WaitWindow } from '../wait-window.ts'

/** Pause between two screenshots, milliseconds. Taking one needs 10 to 30 ms. */
const PAUSE_MS = 50

/** The outcome of a watch. */
export interface Seen<T> {
  /** The value that `look` returned; undefined if the time was up or the guest failed first. */
  readonly found: T | undefined
  /** The last screenshot, a PNG file; undefined if there was none in time. */
  readonly last: Uint8Array | undefined
  /** The error that ended the watch: the machine ended, or QEMU refused to take a screenshot. */
  readonly error: ColdbootError | undefined
}

/**
 * Passes each screenshot to `look` until it returns a value.
 *
 * @param patient whether to continue after a failure of the guest
 */
export async function watchScreen<T extends object>(
  vm: MatcherVM,
  screen: Screen,
  window: WaitWindow,
  look: (picture: Uint8Array, isNew: boolean) => T | undefined,
  patient = false,
): Promise<Seen<T>> {
  let [over, last]: [boolean, Uint8Array | undefined] = [false, undefined]
  const failed = (): boolean => !patient && vm.incidents.some(({ allowed }) => !allowed)
  const watching = async (): Promise<T | undefined> => {
    while (!over) {
      const picture = await screen.screenshot()
      const isNew = last === undefined || !Buffer.from(last).equals(picture)
      last = picture
      const found = look(picture, isNew)
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
