/** Runs jobs one after the other. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs a job when all earlier ones have succeeded or failed. */
  run<T>(job: () => Promise<T>): Promise<T> {
    const result = this.#last.then(job)
    this.#last = result.catch(() => {})
    return result
  }
}
