export type { Activity } from './progress/activity.ts'
export { activityRows, type ProgressDisplay } from './progress/progress-board.ts'
export { ProgressLog } from './progress/progress-log.ts'
export { type ProgressServer, serveProgress } from './progress/progress-server.ts'
