// A real client: @atproto/api signs in, subscribes to a labeler in its preferences, fetches posts and decides with moderatePost().
// moderate.mjs LABELER_DID [AS=bob] [AUTHOR=alice] [LABEL=visibility ...]: prints, for each post of the author, its labels and the decision
import fs from 'node:fs'
import { AtpAgent, moderatePost } from '@atproto/api'
const net = JSON.parse(fs.readFileSync(process.env.NETBOX_DIR + '/net.json', 'utf8'))
const [did, as = 'bob', author = 'alice', ...prefs] = process.argv.slice(2)
const agent = new AtpAgent({ service: net.pds })
await agent.login({ identifier: net.accounts[as].handle, password: net.accounts[as].password })
await agent.addLabeler(did)
for (const p of prefs) { const [label, v] = p.split('='); await agent.setContentLabelPref(label, v, did) }
const moderationPrefs = (await agent.getPreferences()).moderationPrefs
agent.configureLabelers(moderationPrefs.labelers.map((l) => l.did))
const labelDefs = await agent.getLabelDefinitions({ moderationPrefs })
console.log('definitions', Object.fromEntries(Object.entries(labelDefs).map(([k, v]) => [k, v.map((d) => `${d.identifier}:${d.severity}/${d.blurs}/${d.defaultSetting}`)])))
const feed = await agent.getAuthorFeed({ actor: net.accounts[author].did, limit: 10 })
for (const { post } of feed.data.feed) {
  const m = moderatePost(post, { userDid: agent.did, prefs: moderationPrefs, labelDefs })
  const ui = Object.fromEntries(['contentList', 'contentView', 'contentMedia', 'avatar'].map((c) => { const u = m.ui(c); return [c, [u.filter && 'filter', u.blur && 'blur', u.alert && 'alert', u.inform && 'inform', u.noOverride && 'noOverride'].filter(Boolean).join('+')] }))
  console.log(JSON.stringify({ text: post.record.text.slice(0, 30), labels: post.labels.map((l) => `${l.src.slice(8, 14)}:${l.val}`), author: post.author.labels.map((l) => l.val), ui }))
}
