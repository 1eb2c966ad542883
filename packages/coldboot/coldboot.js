#!/usr/bin/env node
// @ts-check
/** The command `coldboot`, by the name of a package. */
import '@coldboot/cli/run'
