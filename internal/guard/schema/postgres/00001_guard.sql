-- +goose Up

CREATE TABLE guard_admitted (
	key   bytea  PRIMARY KEY, -- SHA-256 of issuer and id
	token bytea  NOT NULL,    -- of the call that was admitted
	until bigint NOT NULL     -- unix milliseconds; the last at which it counts
);
CREATE INDEX guard_admitted_until ON guard_admitted (until);

CREATE TABLE guard_kept (
	key   bytea  PRIMARY KEY, -- SHA-256 of the key
	token bytea  NOT NULL,    -- of the call that keeps it
	value bytea  NOT NULL,    -- as its keeper sealed it
	until bigint NOT NULL
);
CREATE INDEX guard_kept_until ON guard_kept (until);

-- guard_admit looks and stores in one statement, for a group of different keys in their
-- own order, so that two groups never wait for each other. It gives back what is
-- admitted. A row that counted only until before the given moment gives way, and so does
-- one that the same call has left before it lost its connection. First a few more such
-- rows are swept away than are added, except those that another is sweeping.
-- +goose StatementBegin
CREATE FUNCTION guard_admit(keys bytea[], tokens bytea[], untils bigint[], past bigint)
RETURNS SETOF bytea LANGUAGE plpgsql AS $$
BEGIN
	DELETE FROM guard_admitted WHERE key IN (SELECT a.key FROM guard_admitted a WHERE a.until < past
		ORDER BY a.until LIMIT 2 * cardinality(keys) FOR UPDATE SKIP LOCKED);
	RETURN QUERY INSERT INTO guard_admitted AS there (key, token, until)
		SELECT m.key, m.token, m.until FROM unnest(keys, tokens, untils) AS m(key, token, until) ORDER BY m.key
		ON CONFLICT (key) DO UPDATE SET token = excluded.token, until = excluded.until
			WHERE there.until < past OR there.token = excluded.token
		RETURNING there.key;
END $$;
-- +goose StatementEnd

-- guard_keep is the same for one value, and tells whether it is kept.
-- +goose StatementBegin
CREATE FUNCTION guard_keep(key bytea, token bytea, value bytea, until bigint, past bigint) RETURNS boolean LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
	DELETE FROM guard_kept WHERE key IN (SELECT k.key FROM guard_kept k WHERE k.until < past
		ORDER BY k.until LIMIT 2 FOR UPDATE SKIP LOCKED);
	INSERT INTO guard_kept AS there (key, token, value, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key) DO UPDATE SET token = excluded.token, value = excluded.value, until = excluded.until
			WHERE there.until < past OR there.token = excluded.token;
	RETURN FOUND;
END $$;
-- +goose StatementEnd
