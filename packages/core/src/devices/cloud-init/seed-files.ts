/** Creates the files of a seed: converts objects to YAML, and checks YAML in strings. Loads the YAML library. */
import { parseDocument, stringify } from 'yaml'
import { OptionError } from '../../errors.ts'
import { isPlainObject } from '../../options/plain-data.ts'
import type { CloudInitOptions } from '../cloud-init.ts'

// PyYAML reads YAML 1.1, in which a plain `yes` is true and `12:30` is a number. Long lines are not folded.
const DIALECT = { version: '1.1', lineWidth: 0 } as const

/**
 * @param identity identity of the seed, hexadecimal
 * @throws OptionError `INVALID_OPTION` with the line of invalid YAML
 */
export function seedFiles(options: CloudInitOptions, identity: string): Readonly<Record<string, string>> {
  const { userData, metaData, networkConfig, vendorData } = options
  const files: Record<string, string> = {
    'user-data': configText('userData', userData) ?? '',
    'meta-data': metaDataText(metaData, `coldboot-${identity.slice(0, 16)}`),
  }
  const network = yamlText('networkConfig', networkConfig, isNetworkConfig)
  const vendor = configText('vendorData', vendorData)
  if (network !== undefined) files['network-config'] = network
  if (vendor !== undefined) files['vendor-data'] = vendor
  return files
}

function configText(option: string, value: CloudInitOptions['userData']): string | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'string') return `#cloud-config\n${stringify(value, DIALECT)}`
  const text = value.trimStart()
  const [, kind] = /^#cloud-config(-archive)?(?![\w-])/i.exec(text) ?? []
  if (/^#cloud-config(?!-jsonp)/i.test(text)) {
    const content = parsed(option, text)
    const fits = kind === undefined ? isPlainObject : Array.isArray
    if (content !== null && !fits(content)) {
      throw invalid(option, `must be a YAML ${kind === undefined ? 'mapping' : 'list'} below its first line`)
    }
  }
  return text
}

function metaDataText(value: CloudInitOptions['metaData'], instanceId: string): string {
  const given = typeof value === 'string' ? (parsed('metaData', value) ?? {}) : (value ?? {})
  if (!isPlainObject(given)) throw invalid('metaData', 'must be a YAML mapping')
  return stringify({ 'instance-id': instanceId, ...given }, DIALECT)
}

function yamlText(
  option: string,
  value: CloudInitOptions['networkConfig'],
  accepts: (content: object) => string | undefined,
): string | undefined {
  if (value === undefined) return undefined
  const content = typeof value === 'string' ? parsed(option, value) : value
  if (!isPlainObject(content)) throw invalid(option, 'must be a YAML mapping')
  const problem = accepts(content)
  if (problem !== undefined) throw invalid(option, problem)
  return typeof value === 'string' ? value : stringify(value, DIALECT)
}

// Without a version, cloud-init falls back to DHCP, and only its log has a warning.
function isNetworkConfig(content: object): string | undefined {
  const { network = content } = content as { readonly network?: unknown }
  const { version, config } = isPlainObject(network) ? network : {}
  return version === 1 || version === 2 || config === 'disabled' ? undefined : 'must have `version: 1` or `version: 2`'
}

/** @throws OptionError `INVALID_OPTION` */
function parsed(option: string, text: string): unknown {
  // PyYAML accepts duplicate keys.
  const document = parseDocument(text, { ...DIALECT, uniqueKeys: false, logLevel: 'silent' })
  const [error] = document.errors
  if (error !== undefined) throw invalid(option, `is not valid YAML: ${error.message}`)
  return document.toJS() as unknown
}

function invalid(option: string, problem: string): OptionError {
  return new OptionError('INVALID_OPTION', `cloudInit: \`${option}\` ${problem}`)
}
