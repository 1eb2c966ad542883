/** Events of a program in the guest over a channel, validated and typed by a schema. */

import type { StandardSchemaV1 } from '@standard-schema/spec'
import { guestSections } from '../console/failure/guest-sections.ts'
import type { Channel, DoneEvent } from '../devices/channel.ts'
import { channelNames, findChannel } from '../devices/helpers/guest-ports.ts'
import { ColdbootError, ExpectError, GuestError, OptionError } from '../errors.ts'
import { startTimer, stopTimer } from '../host/clock.ts'
import { type CheckTable, checkTable, isSignal } from '../options/checked-options.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import type { Guest } from './guest.ts'

/** Options of `vm.events`. */
export interface EventsOptions<Schema extends StandardSchemaV1 = StandardSchemaV1> {
  /**
   * Schema of the events, from any library that implements Standard Schema: Zod, Valibot, ArkType, …
   *
   * @default any value
   */
  readonly schema?: Schema | undefined
  /** Rejects the call when it aborts. */
  readonly signal?: AbortSignal | undefined
}

const isSchema = (value: unknown): boolean =>
  (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value

const CHECKS: CheckTable<Required<EventsOptions>> = {
  schema: ['a schema that implements Standard Schema', isSchema],
  signal: isSignal,
}

/** Longest wait for the reason why a channel ended. Milliseconds, before the multiplier. */
const OVER_MS = 2_000

/** The Guest of the same machine. */
export type EventGuest = Pick<Guest, 'name' | 'over' | 'scale' | 'signal'>

/** The part of a machine that events need. */
export interface EventSource {
  readonly spec: Pick<MachineSpec, 'name' | 'devices'>
}

/**
 * Iterates over the events of a channel; the last one is the return value.
 *
 * @throws ExpectError `EVENT_INVALID` for an event that the schema rejects; `CHANNEL_ENDED`, `CHANNEL_GARBLED`,
 * `EXPECT_ABORTED`
 * @throws OptionError `INVALID_OPTION` with the existing channels, `UNKNOWN_OPTION`; before the iteration starts
 */
export function guestEvents<Schema extends StandardSchemaV1>(
  vm: EventSource,
  guest: EventGuest,
  name: string,
  options: EventsOptions<Schema>,
): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>, DoneEvent> {
  checkTable('events', options, CHECKS)
  const port = channelOf(vm, name).of(vm)
  const failure = new AbortController()
  void guest.over.then((end) => {
    if (end.code !== 'COMMAND_LOST') failure.abort()
  })
  const signals = [guest.signal(options.signal), failure.signal].filter((signal) => signal !== undefined)
  return checkedEvents(port.events({ signal: AbortSignal.any(signals) }), options.schema, name, (error) =>
    explained(error, failure.signal, guest, name),
  )
}

function channelOf({ spec }: EventSource, name: string): Channel {
  const found = findChannel(spec.devices, name)
  if (found !== undefined) return found
  const names = channelNames(spec.devices).map((one) => `"${one}"`)
  throw new OptionError('INVALID_OPTION', `Machine "${spec.name}" has no channel "${name}"`, {
    hint: names.length === 0 ? `Add \`channel('${name}')\` to its \`devices\`.` : `It has ${names.join(', ')}.`,
  })
}

async function* checkedEvents<Schema extends StandardSchemaV1>(
  events: AsyncGenerator<unknown, DoneEvent>,
  schema: Schema | undefined,
  name: string,
  explain: (error: unknown) => Promise<never>,
): AsyncGenerator<StandardSchemaV1.InferOutput<Schema>, DoneEvent> {
  for (;;) {
    const next = await events.next().catch(explain)
    if (next.done === true) return next.value
    // Without a schema, the type is `unknown`.
    yield (schema === undefined ? next.value : await validated(schema, name, next.value)) as Awaited<
      StandardSchemaV1.InferOutput<Schema>
    >
  }
}

/** Throws the error of the guest if the guest failed, otherwise the given error. */
async function explained(error: unknown, failure: AbortSignal, guest: EventGuest, name: string): Promise<never> {
  const isOver = failure.aborted || (ColdbootError.is(error) && error.code === 'CHANNEL_ENDED')
  const end = isOver ? await soon(guest.over, guest.scale(OVER_MS)) : undefined
  if (end === undefined || end.code === 'COMMAND_LOST') throw error
  const what = `Channel "${name}" of machine "${guest.name}" had not sent its last event when ${end.how}`
  throw new GuestError(end.code, what, { cause: error, sections: guestSections(end.excerpt) })
}

/** The value of the promise; undefined if it does not settle in time. */
async function soon<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = startTimer(() => resolve(undefined), milliseconds)
  const value = await Promise.race([promise, late])
  stopTimer(timer)
  return value
}

async function validated<Schema extends StandardSchemaV1>(
  schema: Schema,
  name: string,
  event: unknown,
): Promise<StandardSchemaV1.InferOutput<Schema>> {
  const result = await schema['~standard'].validate(event)
  if (result.issues === undefined) return result.value
  const issues = result.issues.map(
    ({ message, path }) => `${path === undefined ? '' : `${path.map(keyOf).join('.')}: `}${message}`,
  )
  throw new ExpectError(
    'EVENT_INVALID',
    `An event of channel "${name}" does not match its schema: ${issues.join('; ')}`,
    { sections: { Event: JSON.stringify(event, undefined, 2) } },
  )
}

function keyOf(segment: PropertyKey | StandardSchemaV1.PathSegment): string {
  return String(typeof segment === 'object' ? segment.key : segment)
}
