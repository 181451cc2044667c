// A whole AT Protocol network in one Node process, on loopback: PLC, PDS, AppView (bsky),
// bsync, Ozone (from @atproto/dev-env), plus a small control HTTP API.
// Environment: DB_POSTGRES_URL, REDIS_HOST, NETBOX_DIR (where net.json and ready are written), NETBOX_BASE (first port, default 2580).
import net from 'node:net'
import http from 'node:http'
import fs from 'node:fs'
import path from 'node:path'

// ---- loopback only: dev-env's servers call listen(port), which would bind every interface.
const origListen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  const [a, b] = args
  if (a && typeof a === 'object' && !Array.isArray(a) && a.port != null && !a.host && !a.path) {
    args[0] = { ...a, host: '127.0.0.1' }
  } else if ((typeof a === 'number' || (typeof a === 'string' && /^\d+$/.test(a))) && typeof b !== 'string') {
    args.splice(1, typeof b === 'number' || b === undefined ? 0 : 0, '127.0.0.1')
  }
  return origListen.apply(this, args)
}

const t0 = Date.now()
const DIR = process.env.NETBOX_DIR
const BASE = Number(process.env.NETBOX_BASE ?? 2580)
const P = { control: BASE, introspect: BASE + 1, plc: BASE + 2, pds: BASE + 3, bsky: BASE + 4, ozone: BASE + 7 }
const EXTRA_LABELERS = (process.env.NETBOX_LABELERS ?? '').split(',').filter(Boolean)

const { TestNetwork, EXAMPLE_LABELER } = await import('@atproto/dev-env')
const { AtpAgent } = await import('@atproto/api')
const { Secp256k1Keypair } = await import('@atproto/crypto')
const plcLib = (await import('@did-plc/lib')).default ?? (await import('@did-plc/lib'))

const network = await TestNetwork.create({
  dbPostgresSchema: 'netbox',
  pds: {
    port: P.pds, hostname: 'localhost', enableDidDocWithSession: true,
    // to see #info OutdatedCursor and ConsumerTooSlow
    ...(process.env.NETBOX_BACKFILL_MS && { repoBackfillLimitMs: Number(process.env.NETBOX_BACKFILL_MS) }),
    ...(process.env.NETBOX_MAX_BUFFER && { maxSubscriptionBuffer: Number(process.env.NETBOX_MAX_BUFFER) }),
  },
  bsky: { dbPostgresSchema: 'bsky', port: P.bsky, publicUrl: `http://localhost:${P.bsky}` },
  plc: { port: P.plc },
  ozone: { port: P.ozone, dbMaterializedViewRefreshIntervalMs: 30_000 },
  introspect: { port: P.introspect },
})
const { pds, bsky, plc, ozone } = network

// ---- The published @did-plc/server 0.0.1 answers DID documents in the legacy form (EcdsaSecp256k1VerificationKey2019, uncompressed
// key, no multicodec); plc.directory answers Multikey. Make it answer as the real directory does (NETBOX_PLC_LEGACY=1: leave it).
const plcLegacy = process.env.NETBOX_PLC_LEGACY === '1'
{
  const srv = plc.server.server, handlers = srv.listeners('request')
  srv.removeAllListeners('request')
  srv.on('request', async (req, res) => {
    const did = decodeURIComponent((req.url ?? '').split('?')[0].slice(1))
    if (!plcLegacy && req.method === 'GET' && /^did:plc:[a-z2-7]{24}$/.test(did)) {
      try {
        const data = await (await fetch(`${plc.url}/${did}/data`)).json()
        if (data.verificationMethods) {
          const body = JSON.stringify({
            '@context': ['https://www.w3.org/ns/did/v1', 'https://w3id.org/security/multikey/v1', 'https://w3id.org/security/suites/secp256k1-2019/v1'],
            id: did, alsoKnownAs: data.alsoKnownAs,
            verificationMethod: Object.entries(data.verificationMethods).map(([k, v]) => ({ id: `${did}#${k}`, type: 'Multikey', controller: did, publicKeyMultibase: v.replace(/^did:key:/, '') })),
            service: Object.entries(data.services).map(([k, v]) => ({ id: `#${k}`, type: v.type, serviceEndpoint: v.endpoint })),
          })
          res.writeHead(200, { 'content-type': 'application/did+ld+json', 'content-length': Buffer.byteLength(body) })
          return res.end(body)
        }
      } catch (e) { console.error('plc', e) }
    }
    for (const h of handlers) h.call(srv, req, res)
  })
}

// firehose connections, to cut them on request
const sockets = new Set()
pds.server.server.on('upgrade', (req, s) => { sockets.add(s); s.on('close', () => sockets.delete(s)) })

const mails = []
pds.ctx.mailer.transporter.sendMail = async (opts) => {
  mails.push({ at: new Date().toISOString(), to: opts.to, subject: opts.subject, text: opts.text ?? opts.html })
  return { accepted: [opts.to] }
}

const accounts = {}
async function createAccount({ handle, password = 'hunter22', email }) {
  if (!handle.includes('.')) handle += '.test'
  const agent = new AtpAgent({ service: pds.url })
  await agent.createAccount({ handle, password, email: email ?? `${handle.split('.')[0]}@netbox.test` })
  const app = await agent.com.atproto.server.createAppPassword({ name: 'netbox' })
  const name = handle.split('.')[0]
  accounts[name] = { handle, did: agent.did, password, appPassword: app.data.password }
  agents[name] = agent
  save()
  return accounts[name]
}
const agents = {}

const url = (p) => `http://localhost:${p}`
const info = {
  pid: process.pid, started: new Date().toISOString(),
  control: url(P.control), introspect: url(P.introspect),
  plc: plc.url,
  pds: pds.url, pdsDid: pds.ctx.cfg.service.did,
  firehose: `ws://localhost:${P.pds}/xrpc/com.atproto.sync.subscribeRepos`,
  bsky: bsky.url, bskyDid: bsky.serverDid,
  ozone: ozone.url, ozoneDid: ozone.ctx.cfg.service.did,
  ozoneLabels: `ws://localhost:${P.ozone}/xrpc/com.atproto.label.subscribeLabels`,
  ozoneAccount: { handle: 'mod-authority.test', password: 'hunter2' },
  bsync: network.bsync.url, adminPassword: 'admin-pass', exampleLabeler: EXAMPLE_LABELER,
  postgres: process.env.DB_POSTGRES_URL, redis: process.env.REDIS_HOST,
  accounts,
}
const netJson = path.join(DIR, 'net.json')
function save() {
  fs.writeFileSync(netJson + '.tmp', JSON.stringify(info, null, 2))
  fs.renameSync(netJson + '.tmp', netJson)
}

for (const name of ['alice', 'bob', 'carol', 'dan']) await createAccount({ handle: name })

const agentOf = (name) => {
  const a = agents[name]
  if (!a) throw new Error(`no such account: ${name}`)
  return a
}

// ---- labelers: nothing in the open-source AppView subscribes to labelers (in production an ingester outside this repository fills the
// same table), so this stands in for it: Bluesky's own Subscription client, lexicon validation and signature check, into the AppView's DB.
const { Subscription } = await import('@atproto/xrpc-server')
const { lexicons } = await import('@atproto/api')
const { verifySignature } = await import('@atproto/crypto')
const { cborEncode } = await import('@atproto/common')
const labelers = {}
function subscribeLabeler({ did, cursor = 0, requireSig = true }) {
  labelers[did]?.ac.abort()
  const st = (labelers[did] = { did, cursor, labels: 0, rejected: [], errors: [], connected: false, ac: new AbortController() })
  ;(async () => {
    while (!st.ac.signal.aborted) {
      try {
        const data = await plc.getClient().getDocumentData(did)
        st.endpoint = data.services.atproto_labeler.endpoint
        st.key = data.verificationMethods.atproto_label
        const sub = new Subscription({
          service: st.endpoint.replace(/^http/, 'ws'), method: 'com.atproto.label.subscribeLabels', signal: st.ac.signal,
          getParams: () => ({ cursor: st.cursor }),
          onReconnectError: (e, n) => { st.errors.push(`reconnect ${n}: ${e}`); st.errors.splice(0, st.errors.length - 20) },
          validate: (v) => {
            try { return lexicons.assertValidXrpcMessage('com.atproto.label.subscribeLabels', v) }
            catch (e) { st.rejected.push({ why: String(e), seq: v?.seq }); return undefined }
          },
        })
        for await (const m of sub) {
          st.connected = true
          for (const l of m.labels ?? []) {
            const { sig, $type, ...rest } = l
            if (l.src !== did) { st.rejected.push({ seq: m.seq, why: 'src is not the labeler', label: rest }); continue }
            const verified = () => verifySignature(st.key, cborEncode(rest), sig).catch(() => false)
            let ok = sig ? await verified() : !requireSig
            if (sig && !ok) { // the key may have been changed (atproto.com/specs/label, "Signature Lifecycle")
              st.key = (await plc.getClient().getDocumentData(did)).verificationMethods.atproto_label
              ok = await verified()
            }
            if (!ok) { st.rejected.push({ seq: m.seq, why: sig ? 'bad signature' : 'no signature', label: rest }); continue }
            const row = { src: l.src, uri: l.uri, cid: l.cid ?? '', val: l.val, neg: !!l.neg, cts: l.cts, exp: l.exp ?? null }
            await bsky.db.db.insertInto('label').values(row)
              .onConflict((oc) => oc.columns(['src', 'uri', 'cid', 'val']).doUpdateSet({ neg: row.neg, cts: row.cts, exp: row.exp })).execute()
            st.labels++
          }
          if (m.seq != null) st.cursor = m.seq
        }
      } catch (e) { st.errors.push(String(e)); st.errors.splice(0, st.errors.length - 20) }
      st.connected = false
      await new Promise((r) => setTimeout(r, 1000))
    }
  })()
  return labelerState(st)
}
const labelerState = ({ ac, ...st }) => st

// ---- control API: POST JSON, answers JSON.
const ops = {
  // the state of the network
  'GET /': async () => info,
  'GET /net.json': async () => info,
  'GET /mails': async () => mails,
  // {handle, password?} -> account
  'POST /account': createAccount,
  // {as, text, langs?, reply?, embed?, facets?, createdAt?, labels?, tags?}
  'POST /post': async ({ as, ...record }) => agentOf(as).post(record),
  // {as, collection, record, rkey?}
  'POST /record': async ({ as, collection, record, rkey }) =>
    (await agentOf(as).com.atproto.repo.createRecord({ repo: agentOf(as).did, collection, record, rkey, validate: false })).data,
  // waits until the AppView and Ozone have processed all that the PDS emitted
  'POST /process': async () => { await network.processAll(20_000); return { ok: true, seq: await pds.ctx.sequencer.curr() } },
  // a new did:plc on the local PLC, not on a PDS (feed generators): {services, verificationMethods, alsoKnownAs?}
  'POST /plc/create': async ({ services = {}, verificationMethods, alsoKnownAs = [] }) => {
    const key = await Secp256k1Keypair.create({ exportable: true })
    const op = await plcLib.signOperation({
      type: 'plc_operation', verificationMethods: verificationMethods ?? { atproto: key.did() },
      rotationKeys: [key.did()], alsoKnownAs, services, prev: null }, key)
    const did = await plcLib.didForCreateOp(op)
    await new plcLib.Client(plc.url).sendOperation(did, op)
    return { did, rotationKeyHex: Buffer.from(await key.export()).toString('hex') }
  },
  // forget the cached DID document (PDS and AppView cache documents for an hour): {did}
  'POST /did/refresh': async ({ did }) => ({
    pds: await pds.ctx.idResolver.did.resolve(did, true).catch(String),
    bsky: await bsky.dataplane.idResolver.did.resolve(did, true).catch(String) }),
  // add services / keys to the DID document of an account of this PDS (which holds its rotation key):
  // {handle, services?, verificationMethods?}
  'POST /plc/update': async ({ handle, services = {}, verificationMethods = {} }) => {
    const did = accounts[handle]?.did ?? handle
    await pds.ctx.plcClient.updateData(did, pds.ctx.plcRotationKey, (d) => ({
      ...d, services: { ...d.services, ...services },
      verificationMethods: { ...d.verificationMethods, ...verificationMethods } }))
    await pds.ctx.idResolver.did.resolve(did, true).catch(() => {})
    await bsky.dataplane.idResolver.did.resolve(did, true).catch(() => {})
    return (await fetch(`${plc.url}/${did}`)).json()
  },
  // the AppView ingests the labels of a labeler, found through its DID document: {did, cursor?, requireSig?}
  'POST /appview/subscribe-labeler': subscribeLabeler,
  'GET /appview/labelers': async () => Object.values(labelers).map(labelerState),
  // let the AppView show a labeler's labels by default (no atproto-accept-labelers needed): {did}
  'POST /appview/default-labeler': async ({ did }) => {
    const l = bsky.ctx.cfg.labelsFromIssuerDids
    if (!l.includes(did)) l.push(did)
    return l
  },
  // breaks the firehose connections of outside consumers (the AppView's own, older than this hook, stays)
  'POST /pds/cut': async () => { const n = sockets.size; for (const s of sockets) s.destroy(); return { cut: n } },
  // moderation by the PDS's administrator: {did, applied}
  'POST /pds/takedown': async ({ did, applied = true }) => {
    const agent = new AtpAgent({ service: pds.url })
    return (await agent.com.atproto.admin.updateSubjectStatus(
      { subject: { $type: 'com.atproto.admin.defs#repoRef', did }, takedown: { applied, ref: 'netbox' } },
      { encoding: 'application/json', headers: pds.adminAuthHeaders() })).data
  },
  // {handle, newHandle}: as an administrator
  'POST /pds/handle': async ({ handle, newHandle }) => {
    const agent = new AtpAgent({ service: pds.url })
    await agent.com.atproto.admin.updateAccountHandle({ did: accounts[handle]?.did ?? handle, handle: newHandle },
      { encoding: 'application/json', headers: pds.adminAuthHeaders() })
    return { ok: true }
  },
}
const control = http.createServer(async (req, res) => {
  const send = (code, body) => { res.writeHead(code, { 'content-type': 'application/json' }); res.end(JSON.stringify(body, null, 2) + '\n') }
  try {
    const op = ops[`${req.method} ${new URL(req.url, 'http://x').pathname}`]
    if (!op) return send(404, { error: 'unknown', ops: Object.keys(ops) })
    let s = ''
    for await (const c of req) s += c
    send(200, (await op(s ? JSON.parse(s) : {})) ?? {})
  } catch (e) { send(500, { error: String(e?.message ?? e), stack: e?.stack }) }
})
control.listen(P.control)

await network.processAll(20_000)
info.startSeconds = (Date.now() - t0) / 1000
save()
fs.writeFileSync(path.join(DIR, 'ready'), String(process.pid))
console.log(`READY in ${info.startSeconds}s`)

let closing = false
async function stop() {
  if (closing) return
  closing = true
  fs.rmSync(path.join(DIR, 'ready'), { force: true })
  setTimeout(() => process.exit(0), 10_000).unref()
  try { control.close(); await network.close() } catch (e) { console.error(e) }
  process.exit(0)
}
process.on('SIGTERM', stop)
process.on('SIGINT', stop)
process.on('unhandledRejection', (e) => console.error('unhandledRejection', e))
