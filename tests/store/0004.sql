BEGIN TRANSACTION;
CREATE TABLE persistence_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT persistence_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "persistence_alembic_version" VALUES('0004');
CREATE TABLE persistence_authored (
	author TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	group_id TEXT NOT NULL, 
	PRIMARY KEY (author, revision)
)
 WITHOUT ROWID

;
CREATE TABLE persistence_change (
	revision INTEGER NOT NULL, 
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	field TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	text TEXT, 
	author TEXT NOT NULL, 
	source TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	group_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	note TEXT, 
	PRIMARY KEY (revision)
);
INSERT INTO "persistence_change" VALUES(1,'s1','shot','travel','frames','set','41','ann','user',1700000000.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(2,'s1','shot','travel','prompt','set','"čeština – 🙂 \" \\ \u0000"','ann','user',1700000000.0,'g1',1,NULL);
INSERT INTO "persistence_change" VALUES(3,'s1','shot','travel','mode','block',NULL,'ann','user',1700000000.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(4,'s1','shot','travel','long','set','"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"','ann','user',1700000000.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(5,'p1','project','travel','frames','policy','61','bob','user',1700000000.0,'g',1,'House rule');
INSERT INTO "persistence_change" VALUES(6,'p1','project','travel','token','set',NULL,'ann','user',1700000000.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(7,'ann','user','ui','paneLocks','set','{"remove":["b"],"set":{"a":true}}','ann','user',1700000000.0,'g',3,NULL);
INSERT INTO "persistence_change" VALUES(8,'s1','shot','travel','frames','set','48','bob','user',1700000001.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(9,'s1','shot','travel','prompt','pin','""','ann','user',1700000002.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(10,'s1','shot','travel','long','reset',NULL,'ann','user',1700000004.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(11,'p1','project','travel','token','set',NULL,'ann','user',1700000006.0,'g',1,NULL);
INSERT INTO "persistence_change" VALUES(12,'s1','shot','travel','frames','set','-0.0','ann','user',1700000008.0,'g',1,NULL);
CREATE TABLE persistence_contested (
	revision INTEGER NOT NULL, 
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	field TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	text TEXT, 
	author TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	group_id TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	note TEXT, 
	operation TEXT, 
	PRIMARY KEY (revision)
);
CREATE TABLE persistence_counter (
	name TEXT NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_counter" VALUES('pruned',0);
INSERT INTO "persistence_counter" VALUES('revision',12);
INSERT INTO "persistence_counter" VALUES('timeline',0);
CREATE TABLE persistence_moment (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	name TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	author TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (owner, scope, name)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_moment" VALUES('s1','shot','before the storm',7,'ann',1700000000.0);
CREATE TABLE persistence_operation (
	id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_operation" VALUES('tab-1.00000001',1,1700000000.0);
INSERT INTO "persistence_operation" VALUES('tab-1.00000002',3,1700000000.0);
INSERT INTO "persistence_operation" VALUES('tab-1.00000003',3,1700000000.0);
INSERT INTO "persistence_operation" VALUES('tab-2.00000001',8,1700000001.0);
CREATE TABLE persistence_override (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	field TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	secret TEXT, 
	PRIMARY KEY (owner, scope, tool, field)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_override" VALUES('ann','user','ui','paneLocks',7,'set',NULL);
INSERT INTO "persistence_override" VALUES('p1','project','travel','frames',5,'policy',NULL);
INSERT INTO "persistence_override" VALUES('p1','project','travel','token',11,'set','gBBBB');
INSERT INTO "persistence_override" VALUES('s1','shot','travel','frames',12,'set',NULL);
INSERT INTO "persistence_override" VALUES('s1','shot','travel','long',10,'reset',NULL);
INSERT INTO "persistence_override" VALUES('s1','shot','travel','mode',3,'block',NULL);
INSERT INTO "persistence_override" VALUES('s1','shot','travel','prompt',9,'pin',NULL);
CREATE TABLE persistence_preset (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	name TEXT NOT NULL, 
	text TEXT NOT NULL, 
	author TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	version INTEGER NOT NULL, 
	PRIMARY KEY (owner, scope, tool, name)
);
INSERT INTO "persistence_preset" VALUES('p1','project','travel','calm','{"frames":12}','bob',1700000000.0,1);
CREATE TABLE persistence_quarantine (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	field TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	text TEXT, 
	author TEXT NOT NULL, 
	at DOUBLE NOT NULL, 
	version INTEGER NOT NULL, 
	problem TEXT NOT NULL, 
	PRIMARY KEY (owner, scope, tool, field, revision)
);
CREATE TABLE persistence_timeline (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	field TEXT NOT NULL, 
	PRIMARY KEY (owner, scope, tool, revision)
)
 WITHOUT ROWID

;
CREATE INDEX persistence_authored_group ON persistence_authored (group_id, author);
CREATE INDEX persistence_contested_place ON persistence_contested (owner, scope, tool);
CREATE UNIQUE INDEX persistence_contested_operation ON persistence_contested (operation);
COMMIT;
