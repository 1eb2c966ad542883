import type { StandardSchemaV1 } from '@standard-schema/spec'
import { expectTypeOf, test } from 'vitest'
import type { DoneEvent } from '../devices/channel.ts'
import type { GuestTestRun } from '../guest/test-reports/run-tests.ts'
import type { VM } from './vm.ts'

declare const vm: VM
declare const schema: StandardSchemaV1<unknown, { readonly step: number }>

test("events are of the schema's type, and unknown without one", () => {
  expectTypeOf(vm.events('x', { schema })).toEqualTypeOf<AsyncGenerator<{ readonly step: number }, DoneEvent>>()
  expectTypeOf(vm.events('x')).toEqualTypeOf<AsyncGenerator<unknown, DoneEvent>>()
})

test('a file is a string, or bytes with encoding buffer', () => {
  expectTypeOf(vm.readFile('/x')).toEqualTypeOf<Promise<string>>()
  expectTypeOf(vm.readFile('/x', { via: 'shell', encoding: 'buffer' })).toEqualTypeOf<Promise<Uint8Array>>()
})

test('tests must have a format', () => {
  expectTypeOf(vm.runTests('x', { format: 'tap' })).toEqualTypeOf<Promise<GuestTestRun>>()
  // @ts-expect-error `format` has no default
  void vm.runTests('x', {})
  // @ts-expect-error not a format
  void vm.runTests('x', { format: 'subunit' })
})
