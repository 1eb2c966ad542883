// @ts-check
/** Converts disk images to qcow2, which omits clusters of zeros. Source: docs/interop/qcow2.rst. */

const CLUSTER = 65_536
/** Clusters before the data: header, reference count table, reference count block, first and second table of the data. */
const TABLES = 5
/** Largest disk that one table of each kind covers. */
const LARGEST = (CLUSTER / 8) * CLUSTER
const COPIED = 1n << 63n

/** @param {Uint8Array} raw the whole disk, at most 512 MiB @returns {Uint8Array} */
export function toQcow2(raw) {
  if (raw.length > LARGEST) throw new RangeError(`The image has ${raw.length} bytes, more than ${LARGEST}`)
  /** @type {Uint8Array[]} */
  const data = []
  const tables = Buffer.alloc(TABLES * CLUSTER)
  const place = (/** @type {number} */ table, /** @type {number} */ index, /** @type {number} */ cluster) =>
    tables.writeBigUInt64BE(BigInt(cluster * CLUSTER) | COPIED, table * CLUSTER + index * 8)
  place(3, 0, 4)
  for (let at = 0; at < raw.length; at += CLUSTER) {
    const cluster = raw.subarray(at, at + CLUSTER)
    if (cluster.every((byte) => byte === 0)) continue
    place(4, at / CLUSTER, TABLES + data.length)
    data.push(cluster)
  }
  tables.write('QFI\xfb', 'latin1')
  tables.writeUInt32BE(2, 4)
  tables.writeUInt32BE(Math.log2(CLUSTER), 20)
  tables.writeBigUInt64BE(BigInt(raw.length), 24)
  tables.writeUInt32BE(1, 36)
  tables.writeBigUInt64BE(BigInt(3 * CLUSTER), 40)
  tables.writeBigUInt64BE(BigInt(CLUSTER), 48)
  tables.writeUInt32BE(1, 56)
  tables.writeBigUInt64BE(BigInt(2 * CLUSTER), CLUSTER)
  for (let cluster = 0; cluster < TABLES + data.length; cluster++) tables.writeUInt16BE(1, 2 * CLUSTER + cluster * 2)
  const end = Buffer.alloc((CLUSTER - (raw.length % CLUSTER)) % CLUSTER)
  return Buffer.concat([tables, ...data, ...(data.at(-1)?.length === CLUSTER ? [] : [end])])
}
