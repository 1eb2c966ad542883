/** Leaves out records in which secrets would not be found. */
import type { MachineEvent } from '@coldboot/core'

/** Why a record is left out. */
export const UNSEARCHABLE = 'it cannot be searched for secrets'

/** Removes keys that were typed on a screen. A secret would be spread over one message per key, and not be found. */
export function withoutKeys(event: MachineEvent): MachineEvent {
  if (event.kind === 'input') return { ...event, text: event.text.replace(/^typed .*/s, 'typed a text, left out') }
  if (event.kind !== 'qmp' || event.message['execute'] !== 'input-send-event') return event
  return { ...event, message: { ...event.message, arguments: { events: `left out: ${UNSEARCHABLE}` } } }
}
