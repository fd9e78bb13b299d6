-- KiteQ's tables in one shard database. Every shard has the same ones.
--
-- Times are Unix milliseconds (FROM_UNIXTIME(x / 1000) shows them), names are bytes (UTF-8), ids are 16 bytes (HEX(x)).
-- Every statement may be run again. Needs MySQL 8.0 or MariaDB 10.6.

-- Messages that are not done: from their store ack to the last acknowledgement.
CREATE TABLE IF NOT EXISTS kite_message (
    seq             BIGINT            NOT NULL COMMENT 'made by the broker; rises with time: (seq >> 22) + 1577836800000 is Unix ms',
    message_id      BINARY(16)        NOT NULL COMMENT 'the producer''s id',
    state           TINYINT UNSIGNED  NOT NULL COMMENT '0 half (not committed), 1 fresh (owed to its whole route), 2 tracked (owed to the groups in kite_delivery)',
    kind            TINYINT UNSIGNED  NOT NULL COMMENT 'packet: 17 bytes, 18 string',
    owner           BIGINT            NOT NULL COMMENT 'kite_incarnation.number of the broker that delivers it',
    route           BIGINT            NOT NULL COMMENT 'kite_route.route_id while fresh; 0 half, -1 tracked',
    expires_at      BIGINT            NOT NULL COMMENT 'Unix ms; then it goes to the dead letters',
    published_at    BIGINT            NOT NULL COMMENT 'Unix ms',
    deliver_limit   SMALLINT UNSIGNED NOT NULL COMMENT 'attempts of each group',
    topic           VARBINARY(255)    NOT NULL,
    message_type    VARBINARY(255)    NOT NULL,
    publisher_group VARBINARY(255)    NOT NULL,
    header          MEDIUMBLOB        NOT NULL COMMENT 'protobuf Header as the producer sent it',
    body            MEDIUMBLOB        NOT NULL,
    extra           MEDIUMBLOB        NULL     COMMENT 'protobuf fields that this version does not know',
    PRIMARY KEY (seq),
    UNIQUE KEY by_id (message_id),
    KEY by_route (owner, route, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: undone messages';

-- Each distinct set of groups once. The backlog of an absent group is its fresh messages, found through these.
CREATE TABLE IF NOT EXISTS kite_route (
    route_id   BIGINT           NOT NULL COMMENT 'a hash of the set',
    group_name VARBINARY(255)   NOT NULL,
    persistent TINYINT UNSIGNED NOT NULL COMMENT '1: kept for the group while it is away',
    PRIMARY KEY (route_id, group_name),
    KEY by_group (group_name, route_id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: sets of groups that messages are for';

-- Who still needs a tracked message, and when it is tried next.
CREATE TABLE IF NOT EXISTS kite_delivery (
    seq        BIGINT            NOT NULL,
    group_name VARBINARY(255)    NOT NULL,
    attempts   SMALLINT UNSIGNED NOT NULL,
    due_at     BIGINT            NOT NULL COMMENT 'Unix ms; 0: when the group can take it',
    last_error VARBINARY(1020)   NULL,
    PRIMARY KEY (seq, group_name),
    KEY by_due (group_name, due_at, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: deliveries with a state of their own';

-- Half messages and, for an hour, what became of them.
CREATE TABLE IF NOT EXISTS kite_transaction (
    seq              BIGINT            NOT NULL,
    message_id       BINARY(16)        NOT NULL,
    outcome          TINYINT UNSIGNED  NOT NULL COMMENT '0 undecided, 1 committed, 2 rolled back, 3 parked among the dead letters',
    checks           SMALLINT UNSIGNED NOT NULL COMMENT 'questions asked',
    next_check_at    BIGINT            NOT NULL COMMENT 'Unix ms; decided: when that was',
    publisher_group  VARBINARY(255)    NOT NULL,
    connection_group VARBINARY(255)    NOT NULL COMMENT 'of the connection that published it',
    PRIMARY KEY (seq),
    UNIQUE KEY by_id (message_id),
    KEY by_check (outcome, next_check_at, seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: half messages and their outcome';

-- Messages to be delivered later.
CREATE TABLE IF NOT EXISTS kite_schedule (
    due_at BIGINT NOT NULL,
    seq    BIGINT NOT NULL,
    PRIMARY KEY (due_at, seq),
    KEY by_seq (seq)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: messages for later';

-- What could not be delivered, with a retention.
CREATE TABLE IF NOT EXISTS kite_dead_letter (
    id              BIGINT            NOT NULL AUTO_INCREMENT,
    seq             BIGINT            NOT NULL,
    message_id      BINARY(16)        NOT NULL,
    group_name      VARBINARY(255)    NOT NULL COMMENT 'empty for an undecided half message',
    reason          TINYINT UNSIGNED  NOT NULL COMMENT '1 attempts used up, 2 expired, 3 undecided',
    attempts        SMALLINT UNSIGNED NOT NULL,
    last_error      VARBINARY(1020)   NULL,
    died_at         BIGINT            NOT NULL COMMENT 'Unix ms',
    kind            TINYINT UNSIGNED  NOT NULL,
    expires_at      BIGINT            NOT NULL,
    published_at    BIGINT            NOT NULL,
    deliver_limit   SMALLINT UNSIGNED NOT NULL,
    topic           VARBINARY(255)    NOT NULL,
    message_type    VARBINARY(255)    NOT NULL,
    publisher_group VARBINARY(255)    NOT NULL,
    header          MEDIUMBLOB        NOT NULL,
    body            MEDIUMBLOB        NOT NULL,
    extra           MEDIUMBLOB        NULL,
    PRIMARY KEY (id),
    UNIQUE KEY by_message (seq, group_name),
    KEY by_id (message_id),
    KEY by_group (group_name, reason, id),
    KEY by_topic (topic, reason, id),
    KEY by_time (died_at, id)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: dead letters';

-- Every life of every broker that may own messages here.
CREATE TABLE IF NOT EXISTS kite_incarnation (
    number         BIGINT           NOT NULL COMMENT 'never used again',
    name           VARBINARY(255)   NOT NULL COMMENT 'the broker''s, the same in each of its lives',
    address        VARBINARY(255)   NOT NULL,
    state          TINYINT UNSIGNED NOT NULL COMMENT '0 alive, 1 dead, 2 gone',
    lease_until    BIGINT           NOT NULL COMMENT 'Unix ms by this server''s clock',
    joined_at      BIGINT           NOT NULL,
    connection_ids VARBINARY(4096)  NULL     COMMENT 'its connections to this server, for an heir to kill',
    PRIMARY KEY (number),
    KEY by_name (name, state),
    KEY by_state (state, lease_until)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: lives of brokers';

-- Which broker has clients of which group.
CREATE TABLE IF NOT EXISTS kite_presence (
    group_name  VARBINARY(255) NOT NULL,
    incarnation BIGINT         NOT NULL,
    since       BIGINT         NOT NULL COMMENT 'Unix ms',
    PRIMARY KEY (group_name, incarnation),
    KEY by_incarnation (incarnation)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: where groups are connected';

-- The last known bindings, for a broker that starts while ZooKeeper is away. In the first shard only.
CREATE TABLE IF NOT EXISTS kite_binding (
    topic        VARBINARY(255)   NOT NULL,
    number       INT UNSIGNED     NOT NULL COMMENT '0: the topic was saved, perhaps without any binding',
    group_name   VARBINARY(255)   NOT NULL,
    message_type VARBINARY(255)   NOT NULL,
    kind         TINYINT UNSIGNED NOT NULL COMMENT '0 direct, 1 regx, 2 fanout',
    watermark    INT              NOT NULL,
    persistent   TINYINT UNSIGNED NOT NULL,
    PRIMARY KEY (topic, number)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: bindings as last known';

-- Which database has which messages: slot = CRC32(message_id) & 255. The same in every shard.
CREATE TABLE IF NOT EXISTS kite_slot (
    slot    SMALLINT UNSIGNED NOT NULL,
    shard   SMALLINT UNSIGNED NOT NULL COMMENT 'number of the shard, as configured',
    version INT UNSIGNED      NOT NULL,
    PRIMARY KEY (slot)
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = 'KiteQ: slots to shards';
