export { type AttemptHost, AttemptMachines } from './attempt-machines.ts'
