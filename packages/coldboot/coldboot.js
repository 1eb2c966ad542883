#!/usr/bin/env node
// @ts-check
/** The command `coldboot` as a package of the same name. */
import '@coldboot/cli/run'
