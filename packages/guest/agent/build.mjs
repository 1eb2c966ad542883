// @ts-check
/**
 * Builds the agent for every architecture, into `bin/`: `node packages/guest/agent/build.mjs`. On Debian 12, as root:
 *
 *     apt install gcc gcc-{i686,aarch64,powerpc64le,riscv64,s390x}-linux-gnu gcc-arm-linux-gnueabihf
 *     apt install linux-libc-dev-{i386,arm64,ppc64el,riscv64,s390x,armhf}-cross
 *
 * The result depends only on the source and the compiler. `bin/manifest.json` identifies both.
 */
import { fileURLToPath } from 'node:url'
import { buildAll } from './static-program.mjs'

/** The agent. @type {import('./static-program.mjs').StaticProgram} */
export const AGENT = {
  folder: fileURLToPath(new URL('.', import.meta.url)),
  sources: ['agent.c', 'system.h'],
  targets: {
    x86_64: { compiler: 'x86_64-linux-gnu-gcc', flags: [] },
    i386: { compiler: 'i686-linux-gnu-gcc', flags: [] },
    aarch64: { compiler: 'aarch64-linux-gnu-gcc', flags: [] },
    arm: { compiler: 'arm-linux-gnueabihf-gcc', flags: ['-marm'] },
    riscv64: { compiler: 'riscv64-linux-gnu-gcc', flags: ['-Wl,--no-warn-rwx-segments'] },
    ppc64: { compiler: 'powerpc64le-linux-gnu-gcc', flags: [] },
    s390x: { compiler: 's390x-linux-gnu-gcc', flags: [] },
  },
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildAll(AGENT)
