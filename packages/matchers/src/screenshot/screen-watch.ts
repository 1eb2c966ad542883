/**
 * Looks at a screen until it shows what is wanted.
 *
 * QEMU tells nobody over its control channel that a screen has changed; only its graphical front ends are told. So pictures
 * are asked for, each as soon as the one before was looked at and a short pause is over, in which the guest gets to run.
 */
import { ColdbootError, type Screen } from '@coldboot/core'
import { pause, within } from '../machine-wait.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import type { WaitWindow } from '../wait-window.ts'

/** Between one picture and the next. A picture itself takes 10 to 30 ms. */
const PAUSE_MS = 50

/** What was seen. */
export interface Seen<T> {
  /** What `look` returned; undefined: the time was up, or the guest failed, before it returned something. */
  readonly found: T | undefined
  /** The last picture, a PNG file. Undefined when there was none in time. */
  readonly last: Uint8Array | undefined
  /** The machine ended meanwhile, or refused. */
  readonly error: ColdbootError | undefined
}

/**
 * Shows `look` each new picture until it returns something.
 *
 * @param patient whether to go on although the guest has failed
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
