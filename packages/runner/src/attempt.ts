export type { AttemptHost } from './attempt-host.ts'
export { AttemptMachines } from './attempt-machines.ts'
