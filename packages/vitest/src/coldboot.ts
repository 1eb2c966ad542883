#!/usr/bin/env node
/** The command `coldboot`, for projects that only install this package. */
import '@coldboot/cli/run'
