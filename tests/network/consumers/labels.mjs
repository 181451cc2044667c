// An independent consumer of com.atproto.label.subscribeLabels: @atcute/firehose (schema-validating) and
// signature checks with @atcute/crypto + @atcute/cbor against the labeler's DID document on the local PLC.
// labels.mjs LABELER_DID [cursor] [seconds]        (endpoint and key come from the DID document)
import fs from 'node:fs'
import { FirehoseSubscription } from '@atcute/firehose'
import { ComAtprotoLabelSubscribeLabels } from '@atcute/atproto'
import { encode, fromBytes } from '@atcute/cbor'
import { verifySigWithDidKey } from '@atcute/crypto'
const net = JSON.parse(fs.readFileSync(process.env.NETBOX_DIR + '/net.json', 'utf8'))
const [did, cursor, seconds = '5'] = process.argv.slice(2)
const doc = await (await fetch(`${net.plc}/${did}`)).json()
const service = doc.service.find((s) => s.id.endsWith('#atproto_labeler')).serviceEndpoint
const key = 'did:key:' + doc.verificationMethod.find((v) => v.id.endsWith('#atproto_label')).publicKeyMultibase
let n = 0
let at = cursor && cursor !== '-' ? Number(cursor) : undefined // goes on after a cut where it was
const sub = new FirehoseSubscription({
  service: service.replace(/^http/, 'ws'), nsid: ComAtprotoLabelSubscribeLabels.mainSchema,
  params: () => (at === undefined ? {} : { cursor: at }),
  onError: (e, m) => console.log(JSON.stringify({ errorFrame: e, message: m })),
  onConnectionOpen: () => console.log(JSON.stringify({ open: service })),
  onConnectionClose: (e) => console.log(JSON.stringify({ close: e.code, reason: e.reason })),
  onConnectionError: (e) => console.log(JSON.stringify({ connectionError: String(e.error ?? e.message) })),
  ws: { maxRetries: 20, minReconnectionDelay: 100, maxReconnectionDelay: 500 },
})
setTimeout(() => { console.log(JSON.stringify({ messages: n })); process.exit(0) }, Number(seconds) * 1000)
try {
  for await (const m of sub) {
    n++
    at = m.seq ?? at
    const labels = []
    for (const l of m.labels ?? []) {
      const { sig, $type, ...rest } = l
      const ok = sig ? await verifySigWithDidKey(key, fromBytes(sig), encode(rest)) : null
      labels.push({ ...rest, sig_ok: ok })
    }
    console.log(JSON.stringify({ t: m.$type, seq: m.seq, labels, ...(m.name ? { name: m.name, message: m.message } : {}) }))
  }
} catch (e) { console.log(JSON.stringify({ threw: String(e), cause: String(e?.cause ?? '') })) }
