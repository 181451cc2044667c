BEGIN TRANSACTION;
CREATE TABLE account (
    id INTEGER NOT NULL PRIMARY KEY,
    did TEXT NOT NULL UNIQUE,
    active SMALLINT NOT NULL,
    status TEXT,
    changed_at BIGINT NOT NULL,
    reset_rev TEXT,
    handle TEXT
);
INSERT INTO "account" VALUES(1,'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa',1,NULL,0,NULL,NULL);
INSERT INTO "account" VALUES(2,'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb',1,NULL,0,'3n2qjya7do225',NULL);
INSERT INTO "account" VALUES(3,'did:plc:cccccccccccccccccccccccc',1,NULL,0,NULL,NULL);
INSERT INTO "account" VALUES(4,'did:plc:dddddddddddddddddddddddd',0,'deactivated',1795176008000000,NULL,NULL);
CREATE TABLE cursor (
    host TEXT NOT NULL PRIMARY KEY,
    cursor BIGINT NOT NULL,
    time_us BIGINT NOT NULL,
    current SMALLINT NOT NULL
);
INSERT INTO "cursor" VALUES('wss://relay.example',2,1795176010000000,1);
CREATE TABLE decision (
    id INTEGER NOT NULL PRIMARY KEY,
    uri TEXT NOT NULL,
    cid TEXT NOT NULL,
    val TEXT NOT NULL,
    action TEXT NOT NULL,
    mode TEXT NOT NULL,
    evidence TEXT NOT NULL,
    rules_hash TEXT,
    decided_at BIGINT NOT NULL
);
INSERT INTO "decision" VALUES(1,'at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3n2qjxzjpq22b','bafyrei3v3','plainsky-test','label','auto','{"findings":[{"kind":"gtube","text":"PLAINSKY-GTUBE-TEST-1b7c8e2a","position":8}]}','77dda2ebfc355d26df99066a9e6272932a06ae2aa94f6d535c6a00ea98acc086',1795200000000000);
CREATE TABLE entry (
    feed_id BIGINT NOT NULL,
    state SMALLINT NOT NULL,
    sort_at BIGINT NOT NULL,
    tie BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    item TEXT NOT NULL,
    PRIMARY KEY (feed_id, state, sort_at, tie)
) WITHOUT ROWID;
INSERT INTO "entry" VALUES(1,0,1795176001000000,1166426504176355181,1,'{"post":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2qjxxmom22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(1,0,1795176002000000,5511767005549176741,2,'{"post":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2qjxyl7622b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(1,0,1795176003000000,427020673057741670,3,'{"post":"at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3n2qjxzjpq22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(1,2,1795176005000000,1489957302010329523,5,'{"post":"at://did:plc:dddddddddddddddddddddddd/app.bsky.feed.post/3n2qjy3gqu22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(2,0,1795176001000000,1166426504176355181,1,'{"post":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2qjxxmom22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(2,0,1795176003000000,427020673057741670,3,'{"post":"at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3n2qjxzjpq22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(2,1,1795176002000000,5511767005549176741,2,'{"post":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2qjxyl7622b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(2,2,1795176005000000,1489957302010329523,5,'{"post":"at://did:plc:dddddddddddddddddddddddd/app.bsky.feed.post/3n2qjy3gqu22b","feedContext":"include[0] hashtag: garden"}');
INSERT INTO "entry" VALUES(3,0,1795176002000000,5511767005549176741,2,'{"post":"at://did:plc:aaaaaaaaaaaaaaaaaaaaaaaa/app.bsky.feed.post/3n2qjxyl7622b","feedContext":"include[0] hashtag: cats"}');
CREATE TABLE feed (
    id INTEGER NOT NULL PRIMARY KEY,
    rkey TEXT NOT NULL UNIQUE,
    rules_hash TEXT,
    version BIGINT NOT NULL
);
INSERT INTO "feed" VALUES(1,'garden','(Hashtag(any=(''garden'',)),)',3);
INSERT INTO "feed" VALUES(2,'quiet','(Hashtag(any=(''garden'',)),)',3);
INSERT INTO "feed" VALUES(3,'cats','(Hashtag(any=(''cats'',)),)',3);
CREATE TABLE gap (
    id INTEGER NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    from_us BIGINT NOT NULL,
    to_us BIGINT NOT NULL,
    cause TEXT NOT NULL
);
CREATE TABLE label (
    seq INTEGER NOT NULL PRIMARY KEY,
    src TEXT NOT NULL,
    uri TEXT  NOT NULL,
    cid TEXT NOT NULL,
    val TEXT NOT NULL,
    neg SMALLINT NOT NULL,
    cts TEXT NOT NULL,
    exp TEXT,
    sig BLOB NOT NULL,
    frame BLOB NOT NULL,
    decision_id BIGINT NOT NULL REFERENCES decision (id)
);
INSERT INTO "label" VALUES(1,'did:web:labels.example.org','at://did:plc:bbbbbbbbbbbbbbbbbbbbbbbb/app.bsky.feed.post/3n2qjxzjpq22b','bafyrei3v3','plainsky-test',0,'2026-11-20T18:40:00.000Z',NULL,X'2447BBAABB81A0F169E97EE8D6CE3F605BB397AEC3E5A1A2F47EF6EC6C4F9CFD12DB5DA9DADB44B2E9B5639CEE19E1CB0EC98EE6AFF574FAEE1ABFB6DD250108',X'A2617467236C6162656C73626F7001A26373657101666C6162656C7381A7636369646A62616679726569337633636374737818323032362D31312D32305431383A34303A30302E3030305A6373696758402447BBAABB81A0F169E97EE8D6CE3F605BB397AEC3E5A1A2F47EF6EC6C4F9CFD12DB5DA9DADB44B2E9B5639CEE19E1CB0EC98EE6AFF574FAEE1ABFB6DD25010863737263781A6469643A7765623A6C6162656C732E6578616D706C652E6F726763757269784661743A2F2F6469643A706C633A6262626262626262626262626262626262626262626262622F6170702E62736B792E666565642E706F73742F336E32716A787A6A70713232626376616C6D706C61696E736B792D746573746376657201',1);
CREATE TABLE post (
    id INTEGER NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL,
    rkey TEXT  NOT NULL,
    rev TEXT NOT NULL,
    cid TEXT,
    sort_at BIGINT NOT NULL,
    indexed_at BIGINT NOT NULL,
    body TEXT
);
INSERT INTO "post" VALUES(1,1,'3n2qjxxmom22b','3n2qjxxmom225','bafyrei1v1',1795176001000000,1795176001000000,'{"text":"my #garden","created_at":1795176001000000,"langs":["en"]}');
INSERT INTO "post" VALUES(2,1,'3n2qjxyl7622b','3n2qjy4fbg225','bafyrei2v6',1795176002000000,1795176006000000,'{"text":"#cats and another #garden","created_at":1795176002000000,"langs":["en"]}');
INSERT INTO "post" VALUES(3,2,'3n2qjxzjpq22b','3n2qjxzjpq225','bafyrei3v3',1795176003000000,1795176003000000,'{"text":"#garden PLAINSKY-GTUBE-TEST-1b7c8e2a","created_at":1795176003000000,"langs":["en"]}');
INSERT INTO "post" VALUES(4,3,'3n2qjy2iac22b','3n2qjy5dry225',NULL,1795176007000000,1795176007000000,NULL);
INSERT INTO "post" VALUES(5,4,'3n2qjy3gqu22b','3n2qjy3gqu225','bafyrei5v5',1795176005000000,1795176005000000,'{"text":"my #garden","created_at":1795176005000000,"langs":["en"]}');
INSERT INTO "post" VALUES(6,2,'3n2qjy7at422b','3n2qjy7at4225','bafyrei9v9',1795176009000000,1795176009000000,'{"text":"nothing","created_at":1795176009000000,"langs":["en"]}');
CREATE TABLE "schema_migration" ("id" INTEGER NOT NULL PRIMARY KEY, "name" VARCHAR(255) NOT NULL, "applied" DATETIME NOT NULL);
INSERT INTO "schema_migration" VALUES(1,'0001_first','2026-11-21 00:42:54.134022');
CREATE UNIQUE INDEX "schema_migration_name" ON "schema_migration" ("name");
CREATE INDEX account_to_recheck ON account (id) WHERE reset_rev IS NOT NULL;
CREATE UNIQUE INDEX post_by_record ON post (rkey, account_id);
CREATE INDEX post_by_hour ON post ((sort_at / 3600000000), account_id);
CREATE INDEX entry_by_post ON entry (post_id);
CREATE INDEX decision_by_uri ON decision (uri);
CREATE INDEX label_by_uri ON label (uri, cid, val)
;
COMMIT;
