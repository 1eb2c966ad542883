/** QEMU from npm. */
export { type Engine, type EngineHost, enginePackage, findEngine } from './engine.ts'
