-- Seqs end in the lowest twelve bits of the number of the life that made them. No two lives that are remembered may agree in them:
-- a broker that joins with bits that are taken is refused by the key below, and takes another number.

-- Where two agree already, the later one stays, a living one before an ended one. A living broker that is forgotten here finds out
-- at its next renewal, and joins anew.
SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'kite_incarnation' AND column_name = 'tag') > 0, 'DO 0',
    'DELETE a FROM kite_incarnation a JOIN kite_incarnation b ON (a.number & 4095) = (b.number & 4095)
        AND a.number <> b.number
        AND ((a.state <> 0 AND b.state = 0) OR ((a.state = 0) = (b.state = 0) AND a.number < b.number))');
PREPARE kiteq_change FROM @change;
EXECUTE kiteq_change;
DEALLOCATE PREPARE kiteq_change;

SET @change = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE()
    AND table_name = 'kite_incarnation' AND column_name = 'tag') > 0, 'DO 0',
    'ALTER TABLE kite_incarnation
        ADD COLUMN tag SMALLINT UNSIGNED AS (number & 4095) STORED COMMENT ''what the seqs of this life end in'',
        ADD UNIQUE KEY by_tag (tag)');
PREPARE kiteq_change FROM @change;
EXECUTE kiteq_change;
DEALLOCATE PREPARE kiteq_change;

DELETE p FROM kite_presence p LEFT JOIN kite_incarnation i ON i.number = p.incarnation WHERE i.number IS NULL;
