-- What operators do and look at. In the first shard only; the tables are there in each, so that all shards are alike.

-- Groups that get nothing until they are resumed.
CREATE TABLE IF NOT EXISTS kite_group (
    group_name VARBINARY(255)  NOT NULL,
    paused_at  BIGINT          NOT NULL COMMENT 'Unix ms by this server''s clock',
    paused_by  VARBINARY(255)  NOT NULL,
    reason     VARBINARY(1020) NOT NULL,
    PRIMARY KEY (group_name)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: paused groups';

-- What each broker counted of each topic, for charts of a week.
CREATE TABLE IF NOT EXISTS kite_sample (
    at            BIGINT         NOT NULL COMMENT 'Unix ms, start of five minutes',
    broker        VARBINARY(255) NOT NULL COMMENT 'its name',
    topic         VARBINARY(255) NOT NULL,
    published     BIGINT         NOT NULL COMMENT 'messages accepted, half ones included',
    committed     BIGINT         NOT NULL COMMENT 'half messages committed',
    delivered     BIGINT         NOT NULL COMMENT 'deliveries sent, repeated ones included',
    acknowledged  BIGINT         NOT NULL COMMENT 'deliveries acknowledged',
    dead_lettered BIGINT         NOT NULL,
    PRIMARY KEY (at, broker, topic)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: counts over time';

-- Every act of a person, and every one that was refused.
CREATE TABLE IF NOT EXISTS kite_audit (
    id      BIGINT          NOT NULL AUTO_INCREMENT,
    at      BIGINT          NOT NULL COMMENT 'Unix ms by this server''s clock',
    actor   VARBINARY(255)  NOT NULL,
    role    VARBINARY(255)  NOT NULL,
    remote  VARBINARY(255)  NOT NULL COMMENT 'where the request came from',
    action  VARBINARY(255)  NOT NULL,
    target  VARBINARY(255)  NOT NULL COMMENT 'what was acted on',
    detail  BLOB            NOT NULL COMMENT 'JSON',
    outcome VARBINARY(255)  NOT NULL,
    PRIMARY KEY (id),
    KEY by_time (at, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: audit log';
