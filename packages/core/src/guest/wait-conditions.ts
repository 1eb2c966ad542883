/** Conditions for waits: a port, a systemd unit, a file. Their shell commands start few processes or none. */
import { inspect } from 'node:util'
import { OptionError } from '../errors.ts'
import { inspectValue } from '../options/checked-options.ts'
import { formatCommand } from './guest-command-error.ts'
import { commandText, quoteWord } from './run-options.ts'
import { type Condition, NEVER } from './wait-until.ts'

const HIGHEST_PORT = 65_535

/** State LISTEN of /proc/net/tcp (tcp_states.h). */
const LISTEN = '0A'

/**
 * A user's command succeeds.
 * @throws OptionError `INVALID_OPTION`
 */
export function commandCondition(command: string | readonly string[]): Condition {
  const text = commandText('waitUntil', command)
  return { command: text, what: `${formatCommand(text)} to succeed` }
}

/**
 * A program in the guest listens on a TCP port, at any address.
 * @throws OptionError `INVALID_OPTION`
 */
export function portCondition(port: number): Condition {
  if (!Number.isInteger(port) || port < 1 || port > HIGHEST_PORT) {
    throw new OptionError(
      'INVALID_OPTION',
      `waitForPort: the port must be a number from 1 to ${HIGHEST_PORT}, but is ${inspect(port)}`,
    )
  }
  const hex = port.toString(16).toUpperCase().padStart(4, '0')
  const lines =
    'for f in /proc/net/tcp /proc/net/tcp6; do [ -r $f ] || continue; while read -r n local remote state rest; do'
  return {
    what: `a listener on port ${port}`,
    command: `${lines} case $local/$state in *:${hex}/${LISTEN}) exit 0;; esac; done <$f; done; exit 1`,
    diagnose: `ports=$(${lines} case $state in (${LISTEN}) echo "  $((0x\${local##*:}))";; esac; done <$f; done); echo "Listening ports:"; echo "\${ports:-  none}"`,
  }
}

const UNIT_PROPERTIES = 'LoadState,ActiveState,Type,Result,InactiveExitTimestampMonotonic'

/**
 * A systemd unit is active, or a oneshot unit has succeeded. A unit that has failed, is masked or does not exist can
 * never become active by itself.
 * @throws OptionError `INVALID_OPTION`
 */
export function unitCondition(name: string): Condition {
  requireText('waitForUnit: the name of the unit', name)
  const unit = quoteWord(name)
  const never = (pattern: string, text: string): string => `${pattern}) echo ${quoteWord(text)}; exit ${NEVER};;`
  const steps = [
    `command -v systemctl >/dev/null || { echo "The guest has no systemctl: it does not run systemd."; exit ${NEVER}; }`,
    // The values contain no blanks. Early in a boot, systemd may not answer yet.
    `set -- $(systemctl show --property=${UNIT_PROPERTIES} -- ${unit})`,
    `case " $* " in`,
    never('*" LoadState=not-found "*', `There is no unit ${name}.`),
    never('*" LoadState=masked "*', `Unit ${name} is masked: it cannot be started.`),
    never('*" LoadState=bad-setting "*|*" LoadState=error "*', `Unit ${name} cannot be loaded.`),
    never('*" ActiveState=failed "*', 'failed'),
    `*" ActiveState=active "*|*" ActiveState=reloading "*) echo active; exit 0;;`,
    `*" InactiveExitTimestampMonotonic=0 "*) ;;`,
    `*" ActiveState=inactive "*) case " $* " in *" Type=oneshot "*) case " $* " in *" Result=success "*) echo "over, with success"; exit 0;; esac;; esac;;`,
    `esac`,
    `echo "$*"; exit 1`,
  ]
  return {
    what: `unit ${name} to be active`,
    command: steps.join('\n'),
    diagnose: `command -v systemctl >/dev/null && systemctl status --no-pager --full --lines=20 -- ${unit}`,
  }
}

/**
 * A path exists.
 * @throws OptionError `INVALID_OPTION`
 */
export function fileCondition(path: string): Condition {
  requireText('waitForFile: the path', path)
  const file = quoteWord(path)
  return {
    what: `${path} to exist`,
    command: `[ -e ${file} ] || [ -h ${file} ]`,
    // Lists the nearest existing parent directory.
    diagnose: `d=${file}; while [ ! -d "$d" ]; do case $d in */*) d=\${d%/*};; *) d=.;; esac; d=\${d:-/}; done; echo "In $d:"; ls -la "$d" | head -n 30`,
  }
}

function requireText(what: string, value: unknown): void {
  if (typeof value === 'string' && value !== '' && !value.includes('\0')) return
  throw new OptionError('INVALID_OPTION', `${what} must be a string that is not empty, but is ${inspectValue(value)}`)
}
