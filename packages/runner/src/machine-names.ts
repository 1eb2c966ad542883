/** Assigns names to the VMs of a test: the first gets the base name, later ones a number. */
import { OptionError } from '@coldboot/core'

/** The names used in one test. */
export class MachineNames {
  readonly #taken = new Set<string>()

  /**
   * @param own the requested name, which must be unique
   * @param base the name to number if none is requested
   * @throws OptionError `NAME_CONFLICT`
   */
  take(own: string | undefined, base: string): string {
    const name = own ?? this.#numbered(base)
    if (this.#taken.has(name)) {
      throw new OptionError('NAME_CONFLICT', `Two machines of this test are named "${name}"`)
    }
    this.#taken.add(name)
    return name
  }

  #numbered(base: string): string {
    if (!this.#taken.has(base)) return base
    let number = 2
    while (this.#taken.has(`${base}-${number}`)) number++
    return `${base}-${number}`
  }
}
