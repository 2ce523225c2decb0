BEGIN TRANSACTION;
CREATE TABLE persistence_alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT persistence_alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "persistence_alembic_version" VALUES('0001');
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
INSERT INTO "persistence_change" VALUES(1,'s1','shot','travel','frames','set','41','ann','user',1700000000.0,'g1',1,NULL);
INSERT INTO "persistence_change" VALUES(2,'s1','shot','travel','prompt','set','"A bridge in the fog"','ann','user',1700000000.0,'g1',1,NULL);
INSERT INTO "persistence_change" VALUES(3,'p1','project','travel','frames','policy','61','bob','user',1700000000.0,'g2',1,'House rule');
INSERT INTO "persistence_change" VALUES(4,'s1','shot','travel','frames','set','48','bob','user',1700000001.0,'g3',1,NULL);
INSERT INTO "persistence_change" VALUES(5,'p1','project','travel','token','set',NULL,'ann','user',1700000000.0,'g4',1,NULL);
INSERT INTO "persistence_change" VALUES(6,'s1','shot','travel','mode','set','"basic"','ann','user',1700000000.0,'g5',1,NULL);
INSERT INTO "persistence_change" VALUES(7,'s1','shot','travel','mode','reset',NULL,'ann','user',1700000006.0,'g6',1,NULL);
INSERT INTO "persistence_change" VALUES(8,'s1','shot','travel','frames','set','50','ann','user',1700000004.0,'g7',1,NULL);
CREATE TABLE persistence_counter (
	name TEXT NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (name)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_counter" VALUES('revision',8);
INSERT INTO "persistence_counter" VALUES('timeline',6);
CREATE TABLE persistence_operation (
	id TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_operation" VALUES('op-ann-g1-frames',1,1700000000.0);
INSERT INTO "persistence_operation" VALUES('op-ann-g1-prompt',2,1700000000.0);
INSERT INTO "persistence_operation" VALUES('op-ann-g4-token',5,1700000000.0);
INSERT INTO "persistence_operation" VALUES('op-ann-g5-mode',6,1700000000.0);
INSERT INTO "persistence_operation" VALUES('op-ann-g6-mode',7,1700000006.0);
INSERT INTO "persistence_operation" VALUES('op-ann-g7-frames',8,1700000004.0);
INSERT INTO "persistence_operation" VALUES('op-bob-g2-frames',3,1700000000.0);
INSERT INTO "persistence_operation" VALUES('op-bob-g3-frames',4,1700000001.0);
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
INSERT INTO "persistence_override" VALUES('p1','project','travel','frames',3,'policy',NULL);
INSERT INTO "persistence_override" VALUES('p1','project','travel','token',5,'set','gAAAA-cipher');
INSERT INTO "persistence_override" VALUES('s1','shot','travel','frames',8,'set',NULL);
INSERT INTO "persistence_override" VALUES('s1','shot','travel','mode',7,'reset',NULL);
INSERT INTO "persistence_override" VALUES('s1','shot','travel','prompt',2,'set',NULL);
CREATE TABLE persistence_timeline (
	owner TEXT NOT NULL, 
	scope TEXT NOT NULL, 
	tool TEXT NOT NULL, 
	revision INTEGER NOT NULL, 
	PRIMARY KEY (owner, scope, tool, revision)
)
 WITHOUT ROWID

;
INSERT INTO "persistence_timeline" VALUES('p1','project','travel',3);
INSERT INTO "persistence_timeline" VALUES('p1','project','travel',5);
INSERT INTO "persistence_timeline" VALUES('s1','shot','travel',1);
INSERT INTO "persistence_timeline" VALUES('s1','shot','travel',2);
INSERT INTO "persistence_timeline" VALUES('s1','shot','travel',4);
INSERT INTO "persistence_timeline" VALUES('s1','shot','travel',6);
COMMIT;
