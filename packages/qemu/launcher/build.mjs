// @ts-check
/**
 * Builds the launcher for each host architecture, into `bin/`: `node packages/qemu/launcher/build.mjs`. On Debian 12, as
 * root:
 *
 *     apt install gcc gcc-aarch64-linux-gnu linux-libc-dev-arm64-cross
 *
 * The result depends only on the sources and the compiler. `bin/manifest.json` identifies both.
 */
import { fileURLToPath } from 'node:url'
import { buildAll } from '../../guest/agent/static-program.mjs'

/** The launcher. @type {import('../../guest/agent/static-program.mjs').StaticProgram} */
export const LAUNCHER = {
  folder: fileURLToPath(new URL('.', import.meta.url)),
  sources: ['launcher.c', '../../guest/agent/system.h'],
  targets: {
    x86_64: { compiler: 'x86_64-linux-gnu-gcc', flags: [] },
    aarch64: { compiler: 'aarch64-linux-gnu-gcc', flags: [] },
  },
}

if (process.argv[1] === fileURLToPath(import.meta.url)) buildAll(LAUNCHER)
