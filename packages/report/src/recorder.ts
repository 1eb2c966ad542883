export { MachineRecorder, type RecorderOptions } from './machine-recorder.ts'
