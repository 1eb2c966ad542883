import { expect, test } from 'vitest'
import { CloudInitError } from './cloud-init-error.ts'
import { logAbout, readCloudInitReport } from './cloud-init-report.ts'

const json = (v1: object): string => JSON.stringify({ v1 })
const stage = (errors: readonly string[], recoverable: object = {}): object => ({
  errors,
  recoverable_errors: recoverable,
  start: 1.5,
  finished: 2.5,
})

test('reads failures with module, stage and exception, and recoverable errors once', () => {
  const schema = 'cloud-config failed schema validation!'
  const status = json({
    datasource: 'DataSourceNoCloud [seed=/dev/sda]',
    stage: null,
    'init-local': stage([]),
    'modules-config': stage([`('write_files', ValueError("a 'quoted' (text)"))`], { WARNING: [schema] }),
    'modules-final': stage(['("scripts-user", RuntimeError(\'Runparts: 1 failures\'))', 'just text'], {
      WARNING: [schema],
      DEPRECATED: ['old key'],
    }),
  })
  expect(readCloudInitReport(json({ datasource: 'NoCloud', errors: ['ignored'] }), status)).toEqual({
    datasource: 'NoCloud',
    failures: [
      { module: 'write_files', stage: 'modules-config', message: `ValueError("a 'quoted' (text)")` },
      { module: 'scripts-user', stage: 'modules-final', message: "RuntimeError('Runparts: 1 failures')" },
      { module: undefined, stage: 'modules-final', message: 'just text' },
    ],
    recoverableErrors: [`WARNING: ${schema}`, 'DEPRECATED: old key'],
  })
})

test('takes the errors of the result if there is no status, and accepts a result without errors', () => {
  expect(readCloudInitReport(json({ datasource: null, errors: ["('ssh', OSError())"] }), '')).toEqual({
    datasource: '',
    failures: [{ module: 'ssh', stage: undefined, message: 'OSError()' }],
    recoverableErrors: [],
  })
  expect(readCloudInitReport(json({ datasource: 'x', errors: [] }), json({ init: stage([]) })).failures).toEqual([])
  expect(() => readCloudInitReport('cut', '')).toThrow(SyntaxError)
})

const LOG = `2026-01-01 10:00:00,000 - handlers.py[DEBUG]: start: modules-final/config-ssh: running config-ssh
2026-01-01 10:00:00,001 - ssh.py[WARNING]: of another module
2026-01-01 10:00:00,100 - handlers.py[DEBUG]: start: modules-final/config-scripts_user: running config-scripts_user
2026-01-01 10:00:00,101 - subp.py[DEBUG]: Running command ['/var/lib/cloud/instance/scripts/runcmd']
2026-01-01 10:00:01,000 - util.py[WARNING]: Failed to run module scripts_user
2026-01-01 10:00:01,001 - util.py[DEBUG]: Failed to run module scripts_user
Traceback (most recent call last):
RuntimeError: Runparts: 1 failures
2026-01-01 10:00:01,002 - handlers.py[DEBUG]: finish: modules-final/config-scripts_user: FAIL
2026-01-01 10:00:02,000 - handlers.py[DEBUG]: start: modules-final/config-final_message: running config-final_message
2026-01-01 10:00:02,001 - util.py[WARNING]: later`

test('finds the part of the log about a module, under both of its names, without debug messages', () => {
  const part = LOG.split('\n').slice(4, 8).join('\n')
  expect(logAbout(LOG, 'scripts_user')).toBe(part)
  expect(logAbout(LOG, 'scripts-user')).toBe(part)
  expect(logAbout(`${LOG}\n${LOG}`, 'scripts_user')).toBe(part)
  expect(logAbout(LOG, 'final_message')).toBe('2026-01-01 10:00:02,001 - util.py[WARNING]: later')
  expect(logAbout(LOG, 'runcmd')).toBe('')
  expect(logAbout(LOG, undefined).match(/\[\w+\]/g)).toEqual(['[WARNING]', '[WARNING]', '[DEBUG]', '[WARNING]'])
})

test('the error names the first failure, and has the others and the logs in sections', () => {
  const failures = [
    { module: 'scripts_user', stage: 'modules-final', message: 'RuntimeError()' },
    { module: undefined, stage: 'init', message: 'no network' },
  ]
  const error = new CloudInitError({
    machine: 'web',
    failures,
    recoverableErrors: ['WARNING: x'],
    logs: { Log: 'line' },
  })
  expect(error).toMatchObject({ code: 'CLOUD_INIT_FAILED', failures, recoverableErrors: ['WARNING: x'] })
  expect(
    error.message,
  ).toBe(`cloud-init of "web" failed in the module scripts_user (modules-final): RuntimeError() (and 1 more)
Correct the part of the seed that the module used. Its log is below.

Further failures:
  the stage init: no network

Log:
  line

Warnings:
  WARNING: x`)
})
