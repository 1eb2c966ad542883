/** Progress of the preparation of a guest, which can take half a minute the first time. */

/** A step of the preparation. `wait`: another process does the work. */
export type GuestStep = 'wait' | 'resolve' | 'download' | 'unpack' | 'kernel' | 'initramfs' | 'root'

/** One report. */
export interface GuestProgress {
  readonly step: GuestStep
  /** One line of text: `Downloading linux-image-6.1.0-56-amd64 (71 MB)`. */
  readonly message: string
  /** From 0 to 1, where it is known. */
  readonly fraction?: number
}

/** Called at the start of each step and, where a step knows how far it is, during it. */
export type OnGuestProgress = (progress: GuestProgress) => void
