#!/usr/bin/env node
// @ts-check
/** `npm create coldboot`: runs `coldboot init`. */
process.argv.splice(2, 0, 'init')
await import('@coldboot/cli/run')
