/** Data of a machine's replay: steps, frames and pictures, with the times of the failure and the end. */
import type { Frame, MachineFiles } from './machine-files.ts'
import { failureIn, type Step, stepsOf } from './steps.ts'

/** The parts of a workbench. */
export interface Workbench {
  readonly steps: readonly Step[]
  /** Frames of the displays, with the screenshots at the end. Oldest first. */
  readonly frames: readonly Frame[]
  /** Pictures without a time, such as those of `toMatchScreenshot`. */
  readonly pictures: MachineFiles['screens']
  readonly failure: Step | undefined
  /** Time of the last entry, seconds; 0 if there are no times. */
  readonly end: number
}

/** Collects the parts from the files of a machine. */
export function workbenchOf(machine: MachineFiles): Workbench {
  const steps = stepsOf(machine)
  const failure = failureIn(steps)
  const end = Math.max(
    0,
    machine.replay?.duration ?? 0,
    machine.lines.at(-1)?.time ?? 0,
    steps.at(-1)?.time ?? 0,
    machine.film.at(-1)?.time ?? 0,
  )
  const shots = machine.screens.flatMap(({ name, png }): Frame[] => {
    const display = displayOf(name)
    if (display === undefined) return []
    // The screenshot was taken after the failure, and after the last frame of the film.
    const last = machine.film.findLast((frame) => frame.display === display)?.time ?? 0
    return [{ time: Math.max(last, failure?.time ?? end), display, file: name, png }]
  })
  return {
    steps,
    frames: [...machine.film, ...shots].sort((a, b) => a.time - b.time),
    pictures: machine.screens.filter(({ name }) => displayOf(name) === undefined),
    failure,
    end,
  }
}

/** The display of a screenshot at the end of a test, `screen.png` or `screen-2.png`. */
function displayOf(name: string): number | undefined {
  const [whole, number = '1'] = /^screen(?:-(\d+))?\.png$/.exec(name) ?? []
  return whole === undefined ? undefined : Number(number)
}
