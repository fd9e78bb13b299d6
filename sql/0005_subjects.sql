-- What topic and type a half message had, for as long as its row here outlives the message: an id that is published again is the same
-- message only if these are the same. A hash; NULL where an earlier version wrote the row.

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'kite_transaction' AND column_name = 'subject') > 0, 'DO 0',
    'ALTER TABLE kite_transaction
        ADD COLUMN subject BIGINT NULL COMMENT ''a hash of the topic and type''');
PREPARE kiteq_change FROM @change;
EXECUTE kiteq_change;
DEALLOCATE PREPARE kiteq_change;
