/** What the preparation of a guest is doing: it may take half a minute the first time, and nobody likes silence. */

/** A step of the preparation. `wait`: another process does the work. */
export type GuestStep = 'wait' | 'resolve' | 'download' | 'unpack' | 'kernel' | 'initramfs'

/** One report. */
export interface GuestProgress {
  readonly step: GuestStep
  /** One line for a person: `Downloading linux-image-6.1.0-56-amd64 (71 MB)`. */
  readonly message: string
  /** From 0 to 1, where it is known. */
  readonly fraction?: number
}

/** Called at the start of each step and, where a step knows how far it is, during it. */
export type OnGuestProgress = (progress: GuestProgress) => void
