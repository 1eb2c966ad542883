#!/usr/bin/env node
/** The command `coldboot`, for projects that install this package alone. */
import '@coldboot/cli/run'
