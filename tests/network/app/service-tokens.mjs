// Service-auth tokens by the reference library: a JSON list of {key: hex, curve: "k256" | "p256", ...claims} on stdin, a list of {token, did,
// verified} on stdout. `verified` is what the library's own verifier says: null, or its error's name.
import { createServiceJwt, verifyJwt } from '@atproto/xrpc-server'
import { P256Keypair, Secp256k1Keypair } from '@atproto/crypto'

let text = ''
for await (const chunk of process.stdin) text += chunk
const minted = []
for (const { key, curve, verify, ...claims } of JSON.parse(text)) {
  const keypair = await (curve === 'p256' ? P256Keypair : Secp256k1Keypair).import(key)
  const token = await createServiceJwt({ ...claims, keypair })
  const verified = await verifyJwt(token, verify.aud, verify.lxm, async () => keypair.did()).then(() => null, (e) => e.customErrorName ?? String(e))
  minted.push({ token, did: keypair.did(), verified })
}
console.log(JSON.stringify(minted))
