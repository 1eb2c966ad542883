/** Draws the steps, the failure, typed keys and frames of a film along the bar of a replay. */
import type { VNode } from 'preact'
import type { Step } from './steps.ts'
import type { Workbench } from './workbench.ts'

/** Size of the drawing, which is stretched to the width of the bar. */
const WIDTH = 1_000
const HEIGHT = 24
/** Rows of the drawing: their top and height. */
const LANES = { action: [3, 7], key: [11, 5], frame: [17, 3] } as const
/** Smallest width of a mark. */
const NARROW = 2
/** Largest number of marks per lane; more would overlap. */
const MOST = 1_000

type Mark = readonly [className: string, from: number, to: number, lane: readonly [top: number, height: number]]

export function Track(props: {
  readonly end: number
  readonly steps: readonly Step[]
  readonly frames: Workbench['frames']
}): VNode {
  const { end, steps, frames } = props
  const x = (time: number): number => Math.round((Math.min(Math.max(time, 0), end) / end) * WIDTH * 10) / 10
  const marks: Mark[] = [
    ...steps.slice(-MOST).flatMap((step): Mark[] => {
      const { kind, from, time, failed } = step
      if (failed)
        return [
          ['mark-action', from, time, LANES.action],
          ['mark-failure', time, time, [0, HEIGHT]],
        ]
      if (kind === 'event') return []
      if (kind === 'send' || kind === 'input') return [['mark-key', time, time, LANES.key]]
      return [['mark-action', from, time, LANES.action]]
    }),
    ...frames.slice(-MOST).map(({ time }): Mark => ['mark-frame', time, time, LANES.frame]),
  ]
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      {marks.map(([name, from, to, [top, height]]) => (
        <rect class={name} x={x(from)} y={top} width={Math.max(NARROW, x(to) - x(from))} height={height} />
      ))}
    </svg>
  )
}
