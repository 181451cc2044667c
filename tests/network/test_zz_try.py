import pytest, subprocess, sys, time
from tests.support.programs import wait_until
from coincurve import PrivateKey
pytestmark = pytest.mark.network
CONFIG='''
[service]
hostname = "localhost:@PORT@"
port = @PORT@
[store]
url = "sqlite:///@FOLDER@/p.sqlite"
[ingest]
source = "firehose"
hosts = ["@PDS@"]
[identity]
plc = "@PLC@"
[[feeds]]
rkey = "solidarity"
name = "Solidarity"
[[feeds.include]]
kind = "hashtag"
any = ["solidarity"]
[labeler]
did = "@DID@"
[[labels]]
value = "plainsky-test"
signals = ["gtube"]
mode = "auto"
'''
def test_it(net, service):
    import re, base58
    from pathlib import Path
    net.account("tess"); net.account("lab")
    key = PrivateKey()
    didkey = "did:key:z" + base58.b58encode(bytes([0xe7, 1]) + key.public_key.format()).decode()
    text = CONFIG.replace("@PDS@", net.firehose).replace("@DID@", net.did("lab")).replace("@PLC@", net.plc)
    if not re.search(r"^# ?plc", Path("config.example.toml").read_text(), re.M): text = text.replace(f'[identity]\nplc = "{net.plc}"\n', "")
    s = service(text, env={"PLAINSKY_LABELER_KEY": key.to_hex()})
    gen = net.create_did({"bsky_fg": {"type": "BskyFeedGenerator", "endpoint": s.url}})
    net.publish_labeler("lab", s.url, didkey, ["plainsky-test"])
    net.subscribe_labeler(net.did("lab"))
    feed = net.publish_feed("tess", "solidarity", gen)
    a = net.post("tess", "hello #solidarity")
    b = net.post("tess", open("/tmp/ws/gtube").read().strip())
    net.process()
    t=time.time()
    print(s.get("/xrpc/app.bsky.feed.describeFeedGenerator"))
    try:
        wait_until(lambda: [p["post"]["uri"] for p in net.get_feed(feed, viewer="tess")["feed"]] == [a.uri], 5, "feed")
    except Exception as e: print("FEED", e)
    print("feed after", time.time()-t)
    for c in ("atcute", "official"): print(c, net.labels_as_read_by(c, net.did("lab")))
    print(net.labelers())
    print(s.logs[-3000:])
