-- The end of the chain. Whoever appends locks this row to the commit, so records follow
-- each other whichever process they come from.
CREATE TABLE journal_head (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	sequence bigint NOT NULL, -- of the last record, 0 if there is none
	hash     bytea  NOT NULL
);
INSERT INTO journal_head (sequence, hash) VALUES (0, decode(repeat('00', 32), 'hex'));

CREATE TABLE journal_records (
	sequence bigint PRIMARY KEY,               -- dense, from 1, in commit order
	id       text COLLATE "C" NOT NULL UNIQUE, -- the caller's, random
	at       bigint NOT NULL,                  -- unix milliseconds
	body     bytea  NOT NULL,
	previous bytea  NOT NULL,                  -- hash of the record before, zeros for the first
	hash     bytea  NOT NULL
);
CREATE INDEX journal_records_at ON journal_records (at) INCLUDE (sequence);

-- Copies of the lines outside the store.
CREATE TABLE journal_checkpoints (
	number    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	sequence  bigint NOT NULL,
	hash      bytea  NOT NULL,
	at        bigint NOT NULL,
	key_id    text COLLATE "C" NOT NULL,
	signature bytea  NOT NULL
);
CREATE INDEX journal_checkpoints_sequence ON journal_checkpoints (sequence, number);

-- Stubs: the newest stands where the records begin.
CREATE TABLE journal_retired (
	sequence  bigint PRIMARY KEY, -- of the last record that is gone
	hash      bytea  NOT NULL,
	last_at   bigint NOT NULL,    -- that record's time
	at        bigint NOT NULL,
	key_id    text COLLATE "C" NOT NULL,
	signature bytea  NOT NULL
);

-- When mandates were last used, as the records that were read tell.
CREATE TABLE journal_uses (
	mandate  bigint PRIMARY KEY,
	at       bigint NOT NULL, -- that record's time
	sequence bigint NOT NULL, -- of that record, which may be retired by now
	service  text COLLATE "C" NOT NULL
);

-- Up to where they were read. Whoever keeps uses moves it, and so locks it.
CREATE TABLE journal_followed (
	one      boolean PRIMARY KEY DEFAULT true CHECK (one),
	sequence bigint NOT NULL, -- of the last record that was read, 0 if none was
	at       bigint NOT NULL, -- that record's time
	since    bigint NOT NULL  -- the time of the first from which on none was missed
);
INSERT INTO journal_followed (sequence, at, since) VALUES (0, 0, 0);

-- part is how one part of what is hashed is written: its length, then itself. It and the
-- digest below are what Record.digest computes, to the byte.
CREATE FUNCTION journal_part(part bytea) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT
	AS $$ SELECT int8send(octet_length(part)) || part $$;

-- journal_append puts records at the end of the chain, in one statement, so that the
-- lock on the end is never held while a program thinks. It says of each where the record
-- with its id is, and whether it was written now, was there with the same body, or
-- belongs to another. All have the same time.
CREATE FUNCTION journal_append(ids text[], now bigint, bodies bytea[])
RETURNS TABLE (place bigint, outcome text) LANGUAGE plpgsql AS $$
DECLARE
	last  journal_head;
	entry record;
	made  bytea;
BEGIN
	SELECT * INTO STRICT last FROM journal_head FOR UPDATE;
	FOR entry IN SELECT e.id, e.body FROM unnest(ids, bodies) WITH ORDINALITY AS e(id, body, n) ORDER BY e.n LOOP
		place := last.sequence + 1;
		made := sha256(journal_part(last.hash) || journal_part(int8send(place))
			|| journal_part(convert_to(entry.id, 'UTF8')) || journal_part(int8send(now)) || journal_part(entry.body));
		INSERT INTO journal_records (sequence, id, at, body, previous, hash)
			VALUES (place, entry.id, now, entry.body, last.hash, made) ON CONFLICT (id) DO NOTHING;
		IF FOUND THEN
			outcome := 'written';
			last.sequence := place;
			last.hash := made;
		ELSE
			SELECT r.sequence, CASE WHEN r.body = entry.body THEN 'same' ELSE 'taken' END
				INTO STRICT place, outcome FROM journal_records r WHERE r.id = entry.id;
		END IF;
		RETURN NEXT;
	END LOOP;
	UPDATE journal_head h SET sequence = last.sequence, hash = last.hash;
END $$;

-- The triggers are there against slips: who means to change the past can drop them, and
-- is found by verification.
CREATE FUNCTION journal_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	RAISE EXCEPTION '% are never changed or deleted', TG_ARGV[0];
END $$;

CREATE FUNCTION journal_remains() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	IF OLD.sequence > (SELECT coalesce(max(sequence), 0) FROM journal_retired) - TG_ARGV[1]::bigint THEN
		RAISE EXCEPTION '% are never deleted, except by retirement', TG_ARGV[0];
	END IF;
	RETURN OLD;
END $$;

CREATE TRIGGER stay BEFORE UPDATE ON journal_records
	FOR EACH ROW EXECUTE FUNCTION journal_stays('records');
CREATE TRIGGER stay BEFORE UPDATE ON journal_checkpoints
	FOR EACH ROW EXECUTE FUNCTION journal_stays('checkpoints');
CREATE TRIGGER stay BEFORE UPDATE OR DELETE ON journal_retired
	FOR EACH ROW EXECUTE FUNCTION journal_stays('stubs');

-- A stub stands for the record that it names, and for the checkpoints before that one.
CREATE TRIGGER remain BEFORE DELETE ON journal_records
	FOR EACH ROW EXECUTE FUNCTION journal_remains('records', 0);
CREATE TRIGGER remain BEFORE DELETE ON journal_checkpoints
	FOR EACH ROW EXECUTE FUNCTION journal_remains('checkpoints', 1);

CREATE TRIGGER whole BEFORE TRUNCATE ON journal_records
	FOR EACH STATEMENT EXECUTE FUNCTION journal_stays('records');
CREATE TRIGGER whole BEFORE TRUNCATE ON journal_checkpoints
	FOR EACH STATEMENT EXECUTE FUNCTION journal_stays('checkpoints');
CREATE TRIGGER whole BEFORE TRUNCATE ON journal_retired
	FOR EACH STATEMENT EXECUTE FUNCTION journal_stays('stubs');
