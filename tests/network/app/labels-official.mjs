// The same with Bluesky's own code: @atproto/xrpc-server's Subscription (what @atproto/sync's Firehose uses), lexicon
// validation by @atproto/api's lexicons, signatures with @atproto/crypto.   labels-official.mjs LABELER_DID [cursor] [seconds]
import fs from 'node:fs'
import { Subscription } from '@atproto/xrpc-server'
import { lexicons } from '@atproto/api'
import { IdResolver, getKey } from '@atproto/identity'
import { verifySignature } from '@atproto/crypto'
import { cborEncode } from '@atproto/common'
const net = JSON.parse(fs.readFileSync(process.env.NETBOX_DIR + '/net.json', 'utf8'))
const [did, cursor, seconds = '5'] = process.argv.slice(2)
const doc = await (await fetch(`${net.plc}/${did}`)).json()
const service = doc.service.find((s) => s.id.endsWith('#atproto_labeler')).serviceEndpoint
const key = 'did:key:' + doc.verificationMethod.find((v) => v.id.endsWith('#atproto_label')).publicKeyMultibase
let at = cursor && cursor !== '-' ? Number(cursor) : undefined // goes on after a cut where it was
const ac = new AbortController()
setTimeout(() => { ac.abort(); process.exit(0) }, Number(seconds) * 1000)
const sub = new Subscription({
  service: service.replace(/^http/, 'ws'), method: 'com.atproto.label.subscribeLabels', signal: ac.signal,
  getParams: () => (at === undefined ? {} : { cursor: at }),
  onReconnectError: (e, n) => console.log(JSON.stringify({ reconnect: n, why: String(e) })),
  validate: (v) => {
    try { return lexicons.assertValidXrpcMessage('com.atproto.label.subscribeLabels', v) }
    catch (e) { console.log(JSON.stringify({ invalid: String(e), message: JSON.stringify(v)?.slice(0, 200) })); return undefined }
  },
})
try {
  for await (const m of sub) {
    at = m.seq ?? at
    const labels = []
    for (const { sig, $type, ...rest } of m.labels ?? []) labels.push({ ...rest, sig_ok: sig ? await verifySignature(key, cborEncode(rest), sig) : null })
    console.log(JSON.stringify({ t: m.$type, seq: m.seq, labels }))
  }
} catch (e) { console.log(JSON.stringify({ threw: String(e) })) }
