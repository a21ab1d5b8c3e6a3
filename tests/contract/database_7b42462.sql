BEGIN TRANSACTION;
CREATE TABLE application_versions (
    version_id TEXT NOT NULL PRIMARY KEY,
    version_name TEXT NOT NULL UNIQUE,
    version_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL);
INSERT INTO "application_versions" VALUES('f25229e5-030a-4e14-a006-d9faf438800e','1',1795869315000,1795869315000,'melodify');
CREATE TABLE calls (
	id VARCHAR(32) NOT NULL, 
	provider VARCHAR(32) NOT NULL, 
	started_at FLOAT NOT NULL, 
	until FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE costs (
	id INTEGER NOT NULL, 
	job_id VARCHAR(32) NOT NULL, 
	created_at FLOAT NOT NULL, 
	provider VARCHAR(32) NOT NULL, 
	model VARCHAR(200) NOT NULL, 
	dollars FLOAT NOT NULL, 
	input_tokens INTEGER NOT NULL, 
	output_tokens INTEGER NOT NULL, 
	request_id VARCHAR(200) NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "costs" VALUES(1,'1',1.7958693168927912712e+09,'reader','m',0.01,0,0,'');
INSERT INTO "costs" VALUES(2,'1',1.79586931740322041511e+09,'player','m',0.05,0,0,'');
INSERT INTO "costs" VALUES(3,'2',1.79586933866690945621e+09,'reader','m',0.01,0,0,'');
INSERT INTO "costs" VALUES(4,'3',1.79586933866960239409e+09,'reader','m',0.01,0,0,'');
INSERT INTO "costs" VALUES(5,'2',1.79586933917893838879e+09,'player','m',0.05,0,0,'');
INSERT INTO "costs" VALUES(6,'3',1.79586933918711471559e+09,'player','m',0.05,0,0,'');
INSERT INTO "costs" VALUES(7,'4',1.79586933951062321665e+09,'reader','m',0.01,0,0,'');
INSERT INTO "costs" VALUES(8,'5',1.79586933951072859763e+09,'reader','m',0.01,0,0,'');
CREATE TABLE dbos_migrations (version INTEGER NOT NULL PRIMARY KEY);
INSERT INTO "dbos_migrations" VALUES(125);
CREATE TABLE gone_pages (
	page_id VARCHAR(22) NOT NULL, 
	at FLOAT NOT NULL, 
	PRIMARY KEY (page_id)
);
CREATE TABLE guilds (
	guild_id BIGINT NOT NULL, 
	settings TEXT NOT NULL, 
	changed_at FLOAT NOT NULL, 
	left_at FLOAT, 
	PRIMARY KEY (guild_id)
);
CREATE TABLE likes (
	job_id VARCHAR(32) NOT NULL, 
	user_id BIGINT NOT NULL, 
	created_at FLOAT NOT NULL, 
	PRIMARY KEY (job_id, user_id)
);
CREATE TABLE melodify_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT melodify_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "melodify_version" VALUES('0005');
CREATE TABLE notes (
	name VARCHAR(64) NOT NULL, 
	text TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE notifications (
    message_uuid TEXT NOT NULL DEFAULT (hex(randomblob(16))) PRIMARY KEY,
    destination_uuid TEXT NOT NULL,
    topic TEXT,
    message TEXT NOT NULL,
    created_at_epoch_ms INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000), "serialization" TEXT DEFAULT NULL, "consumed" BOOLEAN NOT NULL DEFAULT FALSE, consumed_by_function_id INTEGER,
    FOREIGN KEY (destination_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "operation_outputs" (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    function_name TEXT NOT NULL DEFAULT '',
    output TEXT,
    error TEXT,
    child_workflow_id TEXT,
    started_at_epoch_ms INTEGER,
    completed_at_epoch_ms INTEGER,
    serialization TEXT,
    application_name TEXT DEFAULT NULL,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    PRIMARY KEY (workflow_uuid, function_id)
);
INSERT INTO "operation_outputs" VALUES('1',1,'caption','{"result":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]}}',NULL,NULL,1795869316839,1795869316896,'portable_json','melodify',1795869316000);
INSERT INTO "operation_outputs" VALUES('1',2,'compose','{"result":{"key_in_storage":"takes/1","content_type":"audio/wav","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"model":""}}',NULL,NULL,1795869316900,1795869317408,'portable_json','melodify',1795869317000);
INSERT INTO "operation_outputs" VALUES('1',3,'master','{"result":{"job_id":"1","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":1506686688,"captioner":"reader","composer":"player","picture_key":"pictures/1.jpg","audio_key":"songs/1.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null}}',NULL,NULL,1795869317411,1795869317468,'portable_json','melodify',1795869317000);
INSERT INTO "operation_outputs" VALUES('1',4,'deliver','{"failed":{"kind":"Unavailable","code":"discord.unavailable","values":{}}}',NULL,NULL,1795869317469,1795869338478,'portable_json','melodify',1795869338000);
INSERT INTO "operation_outputs" VALUES('2',1,'caption','{"result":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]}}',NULL,NULL,1795869338612,1795869338671,'portable_json','melodify',1795869338000);
INSERT INTO "operation_outputs" VALUES('3',1,'caption','{"result":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]}}',NULL,NULL,1795869338616,1795869338673,'portable_json','melodify',1795869338000);
INSERT INTO "operation_outputs" VALUES('1-post',1,'DBOS.sleep','1795869368.7612557',NULL,NULL,1795869338760,1795869368761,'portable_json','melodify',1795869338000);
INSERT INTO "operation_outputs" VALUES('2',2,'compose','{"result":{"key_in_storage":"takes/2","content_type":"audio/wav","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"model":""}}',NULL,NULL,1795869338675,1795869339215,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('3',2,'compose','{"result":{"key_in_storage":"takes/3","content_type":"audio/wav","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"model":""}}',NULL,NULL,1795869338676,1795869339231,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('3',3,'master','{"result":{"job_id":"3","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":942989830,"captioner":"reader","composer":"player","picture_key":"pictures/3.jpg","audio_key":"songs/3.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null}}',NULL,NULL,1795869339233,1795869339307,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('3',4,'deliver','{"result":{"channel_id":1,"message_id":1,"direct":false}}',NULL,NULL,1795869339311,1795869339319,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('2',3,'master','{"result":{"job_id":"2","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":1739652155,"captioner":"reader","composer":"player","picture_key":"pictures/2.jpg","audio_key":"songs/2.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null}}',NULL,NULL,1795869339217,1795869339373,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('2',4,'deliver','{"result":{"channel_id":1,"message_id":1,"direct":false}}',NULL,NULL,1795869339382,1795869339392,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('4',1,'caption','{"result":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]}}',NULL,NULL,1795869339457,1795869339512,'portable_json','melodify',1795869339000);
INSERT INTO "operation_outputs" VALUES('5',1,'caption','{"result":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]}}',NULL,NULL,1795869339458,1795869339516,'portable_json','melodify',1795869339000);
CREATE TABLE queues (
    queue_id TEXT PRIMARY KEY DEFAULT (hex(randomblob(16))),
    name TEXT NOT NULL UNIQUE,
    concurrency INTEGER,
    worker_concurrency INTEGER,
    rate_limit_max INTEGER,
    rate_limit_period_sec REAL,
    priority_enabled BOOLEAN NOT NULL DEFAULT FALSE,
    partition_queue BOOLEAN NOT NULL DEFAULT FALSE,
    polling_interval_sec REAL NOT NULL DEFAULT 1.0,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
, "application_name" TEXT DEFAULT NULL, "partition_concurrency" INTEGER DEFAULT NULL, "partition_worker_concurrency" INTEGER DEFAULT NULL, "partition_rate_limit_max" INTEGER DEFAULT NULL, "partition_rate_limit_period_sec" REAL DEFAULT NULL);
INSERT INTO "queues" VALUES('F50B2D70A1ABB98EE743911A03BD3D4E','songs',NULL,2,NULL,NULL,1,0,0.1,1795869315000,1795869315736,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "queues" VALUES('76AFF1F7FA6C550DBA7A58DB2392A484','posts',NULL,64,NULL,NULL,1,0,1.0,1795869315000,1795869315739,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE readings (
	question VARCHAR(64) NOT NULL, 
	created_at FLOAT NOT NULL, 
	brief TEXT NOT NULL, 
	PRIMARY KEY (question)
);
CREATE TABLE songs (
	job_id VARCHAR(32) NOT NULL, 
	user_id BIGINT NOT NULL, 
	guild_id BIGINT, 
	channel_id BIGINT NOT NULL, 
	message_id BIGINT NOT NULL, 
	private BOOLEAN NOT NULL, 
	created_at FLOAT NOT NULL, 
	song TEXT NOT NULL, parent_id VARCHAR(32), asked_in BIGINT, 
	PRIMARY KEY (job_id)
);
INSERT INTO "songs" VALUES('3',3,20,1,1,0,1.7958693393252439499e+09,'{"job_id":"3","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":942989830,"captioner":"reader","composer":"player","picture_key":"pictures/3.jpg","audio_key":"songs/3.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null}',NULL,10);
INSERT INTO "songs" VALUES('2',2,20,1,1,0,1.79586933939410066602e+09,'{"job_id":"2","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":1739652155,"captioner":"reader","composer":"player","picture_key":"pictures/2.jpg","audio_key":"songs/2.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null}',NULL,10);
CREATE TABLE streams (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    "offset" INTEGER NOT NULL, function_id INTEGER NOT NULL DEFAULT 0, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key, "offset"),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE "usage" (
	job_id VARCHAR(32) NOT NULL, 
	user_id BIGINT NOT NULL, 
	guild_id BIGINT, 
	created_at FLOAT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	started_at FLOAT, 
	ended_at FLOAT, 
	cancelled BOOLEAN DEFAULT 0 NOT NULL, 
	brief_order TEXT, 
	waived BOOLEAN DEFAULT 0 NOT NULL, 
	page_id VARCHAR(22), 
	outcome VARCHAR(64), 
	turn BIGINT DEFAULT '0' NOT NULL, 
	stage VARCHAR(16), 
	record_gone BOOLEAN DEFAULT 0 NOT NULL, 
	picture_gone BOOLEAN DEFAULT 0 NOT NULL, 
	song_gone BOOLEAN DEFAULT 0 NOT NULL, queued_at FLOAT, 
	PRIMARY KEY (job_id)
);
INSERT INTO "usage" VALUES('1',1,20,1.79586931574556183822e+09,'running',1.79586931683786153787e+09,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/1.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869315,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('2',2,20,1.79586933857519435876e+09,'charged',1.79586933861174964906e+09,1.79586933939410066602e+09,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/2.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('3',3,20,1.79586933858444714549e+09,'charged',1.7958693386148118973e+09,1.7958693393252439499e+09,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/3.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('4',4,20,1.79586933859432268138e+09,'running',1.79586933945478606231e+09,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/4.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('5',5,20,1.79586933861682152748e+09,'running',1.79586933945703840255e+09,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/5.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('6',6,20,1.79586933862317705157e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/6.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('7',7,20,1.79586933863508033757e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/7.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('9',9,20,1.79586933864732789991e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/9.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('10',10,20,1.79586933865530037879e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/10.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('11',11,20,1.79586933867766809468e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/11.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
INSERT INTO "usage" VALUES('12',12,20,1.79586933869993233678e+09,'waiting',NULL,NULL,0,'{"place": {"channel_id": 10, "guild_id": 20, "status_id": 5, "threadable": false, "max_bytes": 10485760, "archive_minutes": 1440, "adult": false, "token": null, "ordered_in": null}, "language": "en", "picture_key": "pictures/12.jpg", "picture_size": [64, 48]}',0,NULL,NULL,1795869338,NULL,0,0,0,NULL);
CREATE TABLE workflow_events (
    workflow_uuid TEXT NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid) 
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_events_history (
    workflow_uuid TEXT NOT NULL,
    function_id INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL, "serialization" TEXT DEFAULT NULL,
    PRIMARY KEY (workflow_uuid, function_id, key),
    FOREIGN KEY (workflow_uuid) REFERENCES workflow_status(workflow_uuid)
        ON UPDATE CASCADE ON DELETE CASCADE
);
CREATE TABLE workflow_input (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    inputs TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_input" VALUES('1','{"namedArgs":{},"positionalArgs":[{"job_id":"1","user_id":1,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/1.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":1506686688,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869315000);
INSERT INTO "workflow_input" VALUES('1-post','{"namedArgs":{},"positionalArgs":[{"job":{"job_id":"1","user_id":1,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/1.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":1506686688,"brief":null,"parent_id":null,"parent_link":"","page_id":null},"song":{"job_id":"1","title":"Amber Dusk","caption":"Warm light.","bpm":90,"key":"E","mode":"minor","instruments":["organ"],"mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"genre":"folk","seed":1506686688,"captioner":"reader","composer":"player","picture_key":"pictures/1.jpg","audio_key":"songs/1.mp3","dollars":0.060000000000000005,"duration_s":1.5,"lufs":-14.1,"true_peak_dbtp":-2.13,"bitrate_kbps":192,"size_bytes":38264,"waveform":[73,68,62,58,51,47,44,45,45,45,44,43,40,39,37,35,33,30,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,64,60,54,50,46,44,42,44,45,45,44,43,40,39,37,35,33,30,31,32,32,31,30,29,28,26,25,23,22,22,23,23,78,78,63,56,52,48,45,43,45,45,44,42,39,36,32,29,26,22,19,18,17,15,13,11,9,7,5,4,3,2,1,1,0,0],"brief":{"title":"Amber Dusk","caption":"Warm light.","mood":["calm","warm"],"valence":0.4,"arousal":-0.3,"energy":"gentle","genre":"folk","instruments":["felt piano","cello"],"bpm":84,"mode":"major","arrangement":"Slow build.","soundscape":"tape hiss","adjusted":[]},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"model":"","parent_id":null},"error":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('2','{"namedArgs":{},"positionalArgs":[{"job_id":"2","user_id":2,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/2.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":1739652155,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('3','{"namedArgs":{},"positionalArgs":[{"job_id":"3","user_id":3,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/3.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":942989830,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('4','{"namedArgs":{},"positionalArgs":[{"job_id":"4","user_id":4,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/4.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":13432930,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('5','{"namedArgs":{},"positionalArgs":[{"job_id":"5","user_id":5,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/5.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":1456431155,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('6','{"namedArgs":{},"positionalArgs":[{"job_id":"6","user_id":6,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/6.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":494678740,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('7','{"namedArgs":{},"positionalArgs":[{"job_id":"7","user_id":7,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/7.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":166041998,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('9','{"namedArgs":{},"positionalArgs":[{"job_id":"9","user_id":9,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/9.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":318068935,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('10','{"namedArgs":{},"positionalArgs":[{"job_id":"10","user_id":10,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/10.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":1376381401,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('11','{"namedArgs":{},"positionalArgs":[{"job_id":"11","user_id":11,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/11.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":549296256,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
INSERT INTO "workflow_input" VALUES('12','{"namedArgs":{},"positionalArgs":[{"job_id":"12","user_id":12,"place":{"channel_id":10,"guild_id":20,"status_id":5,"threadable":false,"max_bytes":10485760,"archive_minutes":1440,"adult":false,"token":null,"ordered_in":null},"wish":{"hint":"","style":"auto","seconds":10,"language":"en","locale":"","seed":null,"vocals":false},"private":false,"picture_key":"pictures/12.jpg","picture_sha256":"9250f88d0749e9534d9fb600004fb1f34158555a7041345d2503498c53bb8bfb","picture_width":64,"picture_height":48,"seed":385223311,"brief":null,"parent_id":null,"parent_link":"","page_id":null}]}',1795869338000);
CREATE TABLE workflow_output (
    workflow_uuid TEXT NOT NULL PRIMARY KEY,
    output TEXT,
    error TEXT,
    retention_timestamp INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000)
);
INSERT INTO "workflow_output" VALUES('1','null',NULL,1795869338000);
INSERT INTO "workflow_output" VALUES('3','null',NULL,1795869339000);
INSERT INTO "workflow_output" VALUES('2','null',NULL,1795869339000);
CREATE TABLE workflow_schedules (
    schedule_id TEXT PRIMARY KEY,
    schedule_name TEXT NOT NULL UNIQUE,
    workflow_name TEXT NOT NULL,
    workflow_class_name TEXT,
    schedule TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'ACTIVE',
    context TEXT NOT NULL
, "last_fired_at" TEXT DEFAULT NULL, "automatic_backfill" BOOLEAN NOT NULL DEFAULT FALSE, "cron_timezone" TEXT DEFAULT NULL, "queue_name" TEXT DEFAULT NULL, "application_name" TEXT DEFAULT NULL);
CREATE TABLE workflow_status (
    workflow_uuid TEXT PRIMARY KEY,
    status TEXT,
    name TEXT,
    authenticated_user TEXT,
    assumed_role TEXT,
    authenticated_roles TEXT,
    request TEXT,
    output TEXT,
    error TEXT,
    executor_id TEXT,
    created_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    updated_at INTEGER NOT NULL DEFAULT (strftime('%s','now') * 1000),
    application_version TEXT,
    application_id TEXT,
    class_name TEXT DEFAULT NULL,
    config_name TEXT DEFAULT NULL,
    recovery_attempts INTEGER DEFAULT 0,
    queue_name TEXT,
    workflow_timeout_ms INTEGER,
    workflow_deadline_epoch_ms INTEGER,
    inputs TEXT,
    started_at_epoch_ms INTEGER,
    deduplication_id TEXT,
    priority INTEGER NOT NULL DEFAULT 0
, queue_partition_key TEXT, forked_from TEXT, "owner_xid" TEXT DEFAULT NULL, "parent_workflow_id" TEXT DEFAULT NULL, "serialization" TEXT DEFAULT NULL, "delay_until_epoch_ms" BIGINT DEFAULT NULL, "was_forked_from" BOOLEAN NOT NULL DEFAULT FALSE, "rate_limited" BOOLEAN NOT NULL DEFAULT FALSE, "completed_at" BIGINT, "attributes" TEXT, "schedule_name" TEXT, "debounce_deadline_epoch_ms" BIGINT DEFAULT NULL, "is_debounced" BOOLEAN NOT NULL DEFAULT FALSE, "application_name" TEXT DEFAULT NULL, "creator_xid" TEXT DEFAULT NULL);
INSERT INTO "workflow_status" VALUES('1','SUCCESS','make_song',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869315000,1795869338000,'1',NULL,NULL,NULL,1,'songs',NULL,NULL,NULL,1795869316000,NULL,1795869315,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795869338000,'null',NULL,NULL,0,'melodify','73f1d814-64dc-488e-9c88-692462fa48dd');
INSERT INTO "workflow_status" VALUES('1-post','PENDING','post',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869338000,1795869338000,'1',NULL,NULL,NULL,1,'posts',NULL,NULL,NULL,1795869338000,NULL,0,NULL,NULL,'ed5433d4-a2f8-4eb8-bfbe-8ed84e575d33',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'melodify','122ac004-301b-4868-a316-c8a28f40a9a3');
INSERT INTO "workflow_status" VALUES('2','SUCCESS','make_song',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869338000,1795869339000,'1',NULL,NULL,NULL,1,'songs',NULL,NULL,NULL,1795869338000,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795869339000,'null',NULL,NULL,0,'melodify','1848d0fc-bf9d-4681-a2e4-dc46ae5ed989');
INSERT INTO "workflow_status" VALUES('3','SUCCESS','make_song',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869338000,1795869339000,'1',NULL,NULL,NULL,1,'songs',NULL,NULL,NULL,1795869338000,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,1795869339000,'null',NULL,NULL,0,'melodify','11424037-9222-4512-8398-4b29d0c287fb');
INSERT INTO "workflow_status" VALUES('4','PENDING','make_song',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869338000,1795869339000,'1',NULL,NULL,NULL,1,'songs',NULL,NULL,NULL,1795869339000,NULL,1795869338,NULL,NULL,'3f56acc3-48c8-4ef8-a60d-b526ed58cdcd',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'melodify','ddfafea8-bd6c-4679-9415-58cdef83a6fb');
INSERT INTO "workflow_status" VALUES('5','PENDING','make_song',NULL,NULL,NULL,NULL,NULL,NULL,'local',1795869338000,1795869339000,'1',NULL,NULL,NULL,1,'songs',NULL,NULL,NULL,1795869339000,NULL,1795869338,NULL,NULL,'3f56acc3-48c8-4ef8-a60d-b526ed58cdcd',NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,'melodify','fcf7fb6c-1c9d-4a84-8a2b-935cd592546e');
INSERT INTO "workflow_status" VALUES('6','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'6de09cec-151c-46e9-95a6-e422543b1600');
INSERT INTO "workflow_status" VALUES('7','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'a11edcaa-f481-404b-b761-34d94b9c62bb');
INSERT INTO "workflow_status" VALUES('9','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'802b1062-27ce-4fbb-870f-78132be4ca44');
INSERT INTO "workflow_status" VALUES('10','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'eba5f690-c05e-4872-a4fe-383c7c4ef127');
INSERT INTO "workflow_status" VALUES('11','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'55f33a66-2199-4ffd-994a-7fe4e4c0cfea');
INSERT INTO "workflow_status" VALUES('12','ENQUEUED','make_song',NULL,NULL,NULL,NULL,NULL,NULL,NULL,1795869338000,1795869338000,'1',NULL,NULL,NULL,0,'songs',NULL,NULL,NULL,NULL,NULL,1795869338,NULL,NULL,NULL,NULL,'portable_json',NULL,0,0,NULL,'null',NULL,NULL,0,NULL,'45c11114-fd46-4ac3-9779-31b16e8be789');
CREATE INDEX songs_by_user ON songs (user_id, created_at);
CREATE INDEX costs_by_job ON costs (job_id);
CREATE INDEX costs_by_time ON costs (created_at);
CREATE INDEX readings_by_time ON readings (created_at);
CREATE INDEX calls_by_provider ON calls (provider, started_at);
CREATE INDEX usage_by_state ON usage (state, created_at);
CREATE INDEX usage_by_guild ON usage (guild_id, created_at);
CREATE INDEX usage_by_user ON usage (user_id, created_at);
CREATE UNIQUE INDEX usage_by_page ON usage (page_id);
CREATE INDEX songs_by_guild ON songs (guild_id, created_at);
CREATE INDEX likes_by_user ON likes (user_id, created_at);
CREATE INDEX workflow_status_created_at_index ON workflow_status (created_at);
CREATE INDEX idx_workflow_topic ON notifications (destination_uuid, topic);
CREATE INDEX "idx_workflow_status_delayed" ON "workflow_status" ("delay_until_epoch_ms") WHERE status = 'DELAYED';
CREATE INDEX "idx_workflow_status_forked_from" ON "workflow_status" ("forked_from") WHERE "forked_from" IS NOT NULL;
CREATE INDEX "idx_workflow_status_parent_workflow_id" ON "workflow_status" ("parent_workflow_id") WHERE "parent_workflow_id" IS NOT NULL;
CREATE UNIQUE INDEX "uq_workflow_status_dedup_id" ON "workflow_status" ("queue_name", "deduplication_id") WHERE "deduplication_id" IS NOT NULL;
CREATE INDEX "idx_workflow_status_pending" ON "workflow_status" ("created_at") WHERE "status" = 'PENDING';
CREATE INDEX "idx_workflow_status_failed" ON "workflow_status" ("status", "created_at") WHERE "status" IN ('ERROR', 'CANCELLED', 'MAX_RECOVERY_ATTEMPTS_EXCEEDED');
CREATE INDEX "idx_workflow_status_rate_limited" ON "workflow_status" ("queue_name", "started_at_epoch_ms") WHERE "rate_limited" = TRUE;
CREATE INDEX "idx_workflow_status_completed_at" ON "workflow_status" ("completed_at") WHERE "completed_at" IS NOT NULL;
CREATE INDEX "idx_workflow_status_started_at" ON "workflow_status" ("started_at_epoch_ms") WHERE "started_at_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_workflow_status_schedule_name" ON "workflow_status" ("schedule_name") WHERE "schedule_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_owner_version"
    ON application_versions ("application_name", "version_name")
    WHERE "application_name" IS NOT NULL;
CREATE UNIQUE INDEX "uq_application_versions_unclaimed_version"
    ON application_versions ("version_name")
    WHERE "application_name" IS NULL;
CREATE INDEX idx_workflow_input_retention
    ON workflow_input (retention_timestamp);
CREATE INDEX idx_workflow_output_retention
    ON workflow_output (retention_timestamp);
CREATE INDEX idx_operation_outputs_retention
    ON operation_outputs (retention_timestamp);
CREATE INDEX "idx_workflow_status_in_flight_v2" ON "workflow_status" ("queue_name", "status", "priority", "created_at", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING');
CREATE INDEX "idx_workflow_status_partition_dequeue_v3" ON "workflow_status" ("queue_name", "status", "queue_partition_key", "priority", "created_at", "workflow_uuid", "application_name") WHERE "status" IN ('ENQUEUED', 'PENDING') AND "queue_partition_key" IS NOT NULL;
CREATE INDEX "idx_operation_outputs_completed_at_function_name_v2" ON "operation_outputs" ("completed_at_epoch_ms", "function_name", "application_name");
CREATE INDEX "idx_workflow_status_deadline" ON "workflow_status" ("workflow_deadline_epoch_ms") WHERE "status" IN ('ENQUEUED', 'PENDING', 'DELAYED') AND "workflow_deadline_epoch_ms" IS NOT NULL;
CREATE INDEX "idx_application_versions_timestamp" ON "application_versions" ("version_timestamp" DESC);
CREATE INDEX "idx_application_versions_owner_timestamp" ON "application_versions" ("application_name", "version_timestamp" DESC);
COMMIT;
