package journal

import "github.com/mandated/mandated/internal/sqlite"

// format of the journal's file. The triggers are there against slips: who means to
// change the past can drop them, and is found by Verify.
var format = sqlite.Format{
	Name:          "journal",
	ApplicationID: 0x6d646a31, // "mdj1"
	Version:       1,
	Schema: `
CREATE TABLE records (
	sequence INTEGER PRIMARY KEY,  -- dense, from 1, in commit order
	id       TEXT NOT NULL UNIQUE, -- the caller's, random
	at       INTEGER NOT NULL,     -- unix milliseconds
	body     BLOB NOT NULL,
	previous BLOB NOT NULL,        -- hash of the record before, zeros for the first
	hash     BLOB NOT NULL
) STRICT;

CREATE TABLE checkpoints (         -- copies of the lines outside the store
	number    INTEGER PRIMARY KEY,
	sequence  INTEGER NOT NULL,
	hash      BLOB NOT NULL,
	at        INTEGER NOT NULL,
	key_id    TEXT NOT NULL,
	signature BLOB NOT NULL
) STRICT;

CREATE TRIGGER records_stay   BEFORE UPDATE ON records BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
CREATE TRIGGER records_remain BEFORE DELETE ON records BEGIN SELECT RAISE(ABORT, 'records are never deleted'); END;
`,
}
