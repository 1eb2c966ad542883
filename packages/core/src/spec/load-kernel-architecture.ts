/** Loads `kernel-architecture.ts` at the first use, because most test files do not need it. */
import type { Architecture } from '../options/architecture.ts'

/** The architecture of a kernel image; undefined if the data is not a kernel. */
export async function architectureOfKernel(image: Uint8Array): Promise<Architecture | undefined> {
  const { kernelArchitecture } = await import('./kernel-architecture.ts')
  return kernelArchitecture(image)
}
