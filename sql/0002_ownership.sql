-- Who works on what when several brokers share these tables.
--
-- A fresh message belongs to the broker that accepted it (kite_message.owner). A tracked one belongs to nobody; each of its
-- delivery rows does: to the broker that has it in memory, or to none (0), and then to whichever has the group and takes it.
-- MySQL has no ADD COLUMN IF NOT EXISTS: each change asks first, so that every statement may be run again.

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'kite_delivery' AND column_name = 'owner') > 0, 'DO 0',
    'ALTER TABLE kite_delivery
        ADD COLUMN owner BIGINT NOT NULL DEFAULT 0 COMMENT ''kite_incarnation.number of the broker that has it in memory; 0: none'',
        ADD KEY by_owner (owner, seq)');
PREPARE kiteq_change FROM @change;
EXECUTE kiteq_change;
DEALLOCATE PREPARE kiteq_change;

-- With the expiry in the index, what expired of an absent group's backlog is found without touching the messages.
SET @change = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE()
    AND table_name = 'kite_message' AND index_name = 'by_route' AND column_name = 'expires_at') > 0, 'DO 0',
    'ALTER TABLE kite_message DROP KEY by_route, ADD KEY by_route (owner, route, seq, expires_at)');
PREPARE kiteq_change FROM @change;
EXECUTE kiteq_change;
DEALLOCATE PREPARE kiteq_change;
