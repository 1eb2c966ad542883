#!/usr/bin/env node
// @ts-check
/** `npm create coldboot`: the command `coldboot init`. */
process.argv.splice(2, 0, 'init')
await import('@coldboot/cli/run')
