import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

let folder: string
let server: Server
/** Versions in the registry, in the order of publishing. */
let published: string[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-publish-'))
  published = []
  server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})
/** Handles requests like a registry: `GET` of a package, and `PUT` of a new version. */
async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const name = decodeURIComponent(request.url?.slice(1) ?? '')
  if (request.method === 'PUT') {
    const { versions } = JSON.parse(await text(request)) as { versions: object }
    if (name !== 'refused') published.push(`${name}@${Object.keys(versions)[0]}`)
    response.writeHead(name === 'refused' ? 403 : 201).end('{}')
    return
  }
  const found = published.filter((it) => it.startsWith(`${name}@`)).map((it) => it.slice(name.length + 1))
  const versions = Object.fromEntries(found.map((version) => [version, { name, version, dist: {} }]))
  response.writeHead(found.length > 0 ? 200 : 404)
  response.end(JSON.stringify({ name, versions, 'dist-tags': { latest: found.at(-1) } }))
}

afterEach(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

/** Writes a tarball. @returns its entry in the plan */
function release(name: string): object {
  const path = `packages/${name.replace('/', '-')}.tgz`
  for (const made of ['packages', 'package']) mkdirSync(join(folder, made), { recursive: true })
  writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify({ name, version: '0.1.0' }))
  execFileSync('tar', ['-czf', path, 'package'], { cwd: folder })
  const integrity = `sha256-${createHash('sha256')
    .update(readFileSync(join(folder, path)))
    .digest('base64')}`
  return { kind: 'publish', name, version: '0.1.0', access: 'public', tag: 'latest', tarball: { path, integrity } }
}

async function publish(): Promise<{ readonly code: number; readonly output: string }> {
  const { port } = server.address() as AddressInfo
  const config = join(folder, '.npmrc')
  writeFileSync(config, `registry=http://127.0.0.1:${port}/\n//127.0.0.1:${port}/:_authToken=token\n`)
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    NPM_CONFIG_USERCONFIG: config,
    NPM_CONFIG_CACHE: join(folder, 'cache'),
  }
  const script = fileURLToPath(new URL('publish.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, '--packs', folder], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { code: code as number, output: output + errors }
}

test('publishes in the order of the plan, and skips versions that are on npm', { timeout: 120_000 }, async () => {
  published.push('first@0.1.0')
  const plan = [[release('first')], [release('@coldboot/second')]]
  writeFileSync(join(folder, 'publish-plan.json'), JSON.stringify({ plan }))
  const { code, output } = await publish()
  expect(output).toContain('first@0.1.0 is on npm already')
  expect(published).toEqual(['first@0.1.0', '@coldboot/second@0.1.0'])
  expect(code, output).toBe(0)
})

test('stops at the first package that npm refuses', { timeout: 120_000 }, async () => {
  const plan = [[release('refused')], [release('dependent')]]
  writeFileSync(join(folder, 'publish-plan.json'), JSON.stringify({ plan }))
  const { code, output } = await publish()
  expect(output).toContain('npm could not publish refused@0.1.0. Later packages were not published.')
  expect({ code, published }).toEqual({ code: 1, published: [] })
})

test('refuses a tarball that was changed after packing', async () => {
  writeFileSync(join(folder, 'publish-plan.json'), JSON.stringify({ plan: [[release('changed')]] }))
  const path = join(folder, 'packages/changed.tgz')
  writeFileSync(path, Buffer.concat([readFileSync(path), Buffer.from('more')]))
  const { code, output } = await publish()
  expect(output).toContain('changed.tgz is not the file that was packed')
  expect({ code, published }).toEqual({ code: 1, published: [] })
})
