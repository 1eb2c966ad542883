/** Progress of preparing a guest, which can take half a minute the first time. */

/** A step of the preparation. `wait`: waits for another process that does the work. */
export type GuestStep = 'wait' | 'resolve' | 'download' | 'unpack' | 'kernel' | 'initramfs' | 'root'

/** One progress report. */
export interface GuestProgress {
  readonly step: GuestStep
  /** One line of text: `Downloading linux-image-6.1.0-56-amd64 (71 MB)`. */
  readonly message: string
  /** From 0 to 1; undefined if unknown. */
  readonly fraction?: number
}

/** Called at the start of each step, and repeatedly during a step with a known fraction. */
export type OnGuestProgress = (progress: GuestProgress) => void
