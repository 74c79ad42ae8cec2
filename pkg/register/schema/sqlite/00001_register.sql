-- The register, first edition.
--
-- Two rules hold everywhere, and triggers keep them:
--
--   Nothing is deleted and nothing is overwritten. What can change stands in a
--   table of versions, each known from revision `since` up to, not including,
--   revision `until`. The current version has until = 9223372036854775807. The
--   only update ever made is to give `until` its value, once.
--
--   What was known at revision R is every row with since <= R and until > R. Now
--   is no different: R is then the newest revision.
--
-- A version with since = until was made and replaced within one change. Nobody
-- ever saw it, and no question finds it.
--
-- Moments are milliseconds since 1970, UTC.

-- +goose Up

-- "mand": how Open recognises a register among other SQLite files.
PRAGMA application_id = 1835101796;

-- What is fixed for the register's life. One row.
CREATE TABLE register (
    one     INTEGER PRIMARY KEY CHECK (one = 1),
    entity  TEXT    NOT NULL CHECK (entity GLOB 'urn:etoegang:MR:*'),
    lease   INTEGER NOT NULL CHECK (lease > 0),            -- milliseconds
    secret  BLOB    NOT NULL CHECK (length(secret) = 32),  -- every other key is derived from it
    created INTEGER NOT NULL
) STRICT;

-- The newest revision. One row, updated first in every change, so that changes
-- form one line, and again at no other moment.
CREATE TABLE head (
    one      INTEGER PRIMARY KEY CHECK (one = 1),
    revision INTEGER NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Every change ever made, numbered without gaps in the order of their commits.
-- Revision 0 is the empty register.
CREATE TABLE revision (
    revision INTEGER PRIMARY KEY,
    tag      BLOB    NOT NULL CHECK (length(tag) = 16),  -- random: tells a restored backup from what it replaced
    at       INTEGER NOT NULL,                           -- never before the revision before it
    who      TEXT    NOT NULL CHECK (who <> ''),
    why      TEXT    NOT NULL CHECK (why <> '')
) STRICT;
CREATE INDEX revision_at ON revision (at);

-- Whom each revision touched: a keyed hash of an identity, or '*' for everybody.
CREATE TABLE change_feed (
    revision INTEGER NOT NULL REFERENCES revision,
    party    BLOB    NOT NULL CHECK (length(party) = 16 OR party = X'2A'),
    PRIMARY KEY (revision, party)
) STRICT, WITHOUT ROWID;

-- Who exists: the numbers that mandates refer to. What is known about them stands
-- in their versions, all in one row, because every decision reads it.
CREATE TABLE organisation (id INTEGER PRIMARY KEY) STRICT;
CREATE TABLE person (id INTEGER PRIMARY KEY) STRICT;

-- A company is its KvK number, for life: no two companies have a first version with
-- the same number, and later versions keep it.
CREATE TABLE organisation_version (
    organisation INTEGER NOT NULL REFERENCES organisation,
    version      INTEGER NOT NULL CHECK (version >= 1),
    since        INTEGER NOT NULL REFERENCES revision,
    until        INTEGER NOT NULL CHECK (until >= since),
    kvk          TEXT    NOT NULL CHECK (length(kvk) = 8 AND kvk NOT GLOB '*[^0-9]*'),
    rsin         TEXT    CHECK (length(rsin) = 9 AND rsin NOT GLOB '*[^0-9]*'),  -- NULL: sole proprietor
    name         TEXT    NOT NULL,
    active       INTEGER NOT NULL CHECK (active IN (0, 1)),
    blocked      INTEGER NOT NULL CHECK (blocked IN (0, 1)),  -- the emergency stop
    PRIMARY KEY (organisation, version),
    UNIQUE (kvk, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX organisation_by_rsin ON organisation_version (rsin, since) WHERE rsin IS NOT NULL;
CREATE UNIQUE INDEX organisation_rsin_once ON organisation_version (rsin)
    WHERE until = 9223372036854775807 AND rsin IS NOT NULL;
CREATE INDEX organisation_blocked ON organisation_version (organisation) WHERE blocked;

-- A person is a pseudonym at an authentication service, for life.
CREATE TABLE person_version (
    person        INTEGER NOT NULL REFERENCES person,
    version       INTEGER NOT NULL CHECK (version >= 1),
    since         INTEGER NOT NULL REFERENCES revision,
    until         INTEGER NOT NULL CHECK (until >= since),
    authenticator TEXT    NOT NULL CHECK (authenticator GLOB 'urn:etoegang:*'),
    pseudonym     TEXT    NOT NULL CHECK (length(pseudonym) = 64 AND pseudonym NOT GLOB '*[^0-9A-Fa-f]*'),
    name          TEXT    NOT NULL,
    active        INTEGER NOT NULL CHECK (active IN (0, 1)),
    blocked       INTEGER NOT NULL CHECK (blocked IN (0, 1)),
    PRIMARY KEY (person, version),
    UNIQUE (pseudonym, authenticator, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX person_blocked ON person_version (person) WHERE blocked;

-- What was agreed. It never changes: whoever wants something else grants a new
-- mandate. Only its state has versions.
CREATE TABLE mandate (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL,
    grantor      INTEGER NOT NULL REFERENCES organisation,
    represented  INTEGER NOT NULL REFERENCES organisation,  -- the grantor; for an assignment its client company
    person       INTEGER REFERENCES person,
    intermediary INTEGER REFERENCES organisation,
    client       INTEGER REFERENCES mandate,                -- the chain mandate that an assignment passes on
    register     TEXT CHECK (register GLOB 'urn:etoegang:MR:*'),  -- NULL: held here
    limited      INTEGER NOT NULL CHECK (limited IN (0, 1)),      -- 1: to the establishments listed
    valid_from   INTEGER NOT NULL CHECK (valid_from % 1000 = 0),
    valid_to     INTEGER NOT NULL CHECK (valid_to % 1000 = 0),
    reference    TEXT    NOT NULL CHECK (length(CAST(reference AS BLOB)) <= 255),
    CHECK (valid_from < valid_to),
    CHECK (valid_to - valid_from <= 157856400000),  -- five years, two of them leap years, and a summer hour
    CHECK (kind IN ('direct', 'chain', 'assignment')),
    CHECK (CASE kind
        WHEN 'direct' THEN
            person IS NOT NULL AND intermediary IS NULL AND client IS NULL
            AND register IS NULL AND represented = grantor
        WHEN 'chain' THEN
            person IS NULL AND intermediary IS NOT NULL AND client IS NULL
            AND limited = 0 AND represented = grantor AND intermediary <> grantor
        WHEN 'assignment' THEN
            person IS NOT NULL AND intermediary IS NULL AND client IS NOT NULL
            AND register IS NULL AND limited = 0 AND represented <> grantor
        END)
) STRICT;
CREATE INDEX mandate_held_by ON mandate (person, represented) WHERE person IS NOT NULL;
CREATE INDEX mandate_between ON mandate (grantor, intermediary) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_grantor ON mandate (grantor);
CREATE INDEX mandate_by_intermediary ON mandate (intermediary) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_client ON mandate (client) WHERE client IS NOT NULL;

CREATE TABLE mandate_version (
    mandate INTEGER NOT NULL REFERENCES mandate,
    version INTEGER NOT NULL CHECK (version >= 1),
    since   INTEGER NOT NULL REFERENCES revision,
    until   INTEGER NOT NULL CHECK (until >= since),
    state   TEXT    NOT NULL CHECK (state IN (
        'draft', 'requested', 'awaiting-signatures', 'awaiting-acceptance', 'active', 'suspended',
        'revoked', 'lapsed-unused', 'superseded', 'rejected', 'withdrawn', 'request-expired')),
    PRIMARY KEY (mandate, version)
) STRICT, WITHOUT ROWID;

-- What a mandate covers. Both empty: everything.
CREATE TABLE mandate_scope (
    mandate  INTEGER NOT NULL REFERENCES mandate,
    service  TEXT    NOT NULL CHECK (service = '' OR length(service) = 36),
    provider TEXT    NOT NULL CHECK (provider = '' OR (length(provider) = 20 AND provider NOT GLOB '*[^0-9]*')),
    level    TEXT    NOT NULL CHECK (level IN ('loa2', 'loa2plus', 'loa3', 'loa4')),
    PRIMARY KEY (mandate, service, provider),
    CHECK (service = '' OR provider = '')
) STRICT, WITHOUT ROWID;

CREATE TABLE mandate_establishment (
    mandate       INTEGER NOT NULL REFERENCES mandate,
    establishment TEXT    NOT NULL CHECK (length(establishment) = 12 AND establishment NOT GLOB '*[^0-9]*'),
    PRIMARY KEY (mandate, establishment)
) STRICT, WITHOUT ROWID;

-- Every service catalogue the register ever decided by: evidence of what a
-- mandate meant on the day it was used.
CREATE TABLE catalogue_version (
    sequence INTEGER PRIMARY KEY CHECK (sequence > 0),
    since    INTEGER NOT NULL REFERENCES revision,
    version  TEXT    NOT NULL,
    issued   INTEGER NOT NULL,
    sha256   BLOB    NOT NULL CHECK (length(sha256) = 32),  -- of the document as it was signed
    signer   TEXT    NOT NULL,
    loaded   INTEGER NOT NULL,
    document BLOB    NOT NULL                               -- gzip
) STRICT;

-- The newest revision only ever goes up by one, and revisions are written as it does.

-- +goose StatementBegin
CREATE TRIGGER head_steps BEFORE UPDATE ON head WHEN NEW.revision <> OLD.revision + 1 OR NEW.one <> OLD.one
BEGIN SELECT RAISE(ABORT, 'the revision goes up by one'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_follows BEFORE INSERT ON revision
WHEN NEW.revision <> coalesce((SELECT revision FROM head), 0)
  OR NEW.at < (SELECT at FROM revision WHERE revision = NEW.revision - 1)
BEGIN SELECT RAISE(ABORT, 'a revision follows the one before it, in number and in time'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_feed_now BEFORE INSERT ON change_feed WHEN NEW.revision <> (SELECT revision FROM head)
BEGIN SELECT RAISE(ABORT, 'only the newest revision can be written'); END;
-- +goose StatementEnd

-- A version begins at the newest revision, where the version before it ended.

-- +goose StatementBegin
CREATE TRIGGER organisation_version_follows BEFORE INSERT ON organisation_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM organisation_version
     WHERE organisation = NEW.organisation AND version = NEW.version - 1 AND until = NEW.since AND kvk = NEW.kvk)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_version_follows BEFORE INSERT ON person_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM person_version
     WHERE person = NEW.person AND version = NEW.version - 1 AND until = NEW.since
       AND authenticator = NEW.authenticator AND pseudonym = NEW.pseudonym)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_version_follows BEFORE INSERT ON mandate_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND version = NEW.version - 1 AND until = NEW.since
       AND state NOT IN ('revoked', 'lapsed-unused', 'superseded', 'rejected', 'withdrawn', 'request-expired'))
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it, and nothing follows an end'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogue_version_follows BEFORE INSERT ON catalogue_version
WHEN NEW.since <> (SELECT revision FROM head) OR NEW.sequence <= (SELECT max(sequence) FROM catalogue_version)
BEGIN SELECT RAISE(ABORT, 'the sequence of the catalogue rises'); END;
-- +goose StatementEnd

-- A chain is never longer than one intermediary: an assignment passes on a chain
-- mandate that its grantor received, on behalf of the company that gave it.

-- +goose StatementBegin
CREATE TRIGGER mandate_assigns BEFORE INSERT ON mandate
WHEN NEW.client IS NOT NULL AND NOT EXISTS (SELECT 1 FROM mandate
     WHERE id = NEW.client AND kind = 'chain' AND intermediary = NEW.grantor AND grantor = NEW.represented)
BEGIN SELECT RAISE(ABORT, 'an assignment passes on a chain mandate of its grantor'); END;
-- +goose StatementEnd

-- What a mandate covers is written in the change that grants it, and not later.

-- +goose StatementBegin
CREATE TRIGGER mandate_scope_fixed BEFORE INSERT ON mandate_scope
WHEN NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND version = 1 AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the scope of a mandate is fixed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_establishment_fixed BEFORE INSERT ON mandate_establishment
WHEN NOT EXISTS (SELECT 1 FROM mandate m JOIN mandate_version v ON v.mandate = m.id
     WHERE m.id = NEW.mandate AND m.limited = 1 AND v.version = 1 AND v.since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the establishments of a mandate are fixed'); END;
-- +goose StatementEnd

-- A version ends once, at the newest revision, and nothing else about it changes.

-- +goose StatementBegin
CREATE TRIGGER organisation_version_ends BEFORE UPDATE ON organisation_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.organisation <> OLD.organisation OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.kvk <> OLD.kvk OR NEW.rsin IS NOT OLD.rsin OR NEW.name <> OLD.name
  OR NEW.active <> OLD.active OR NEW.blocked <> OLD.blocked
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_version_ends BEFORE UPDATE ON person_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.person <> OLD.person OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.authenticator <> OLD.authenticator OR NEW.pseudonym <> OLD.pseudonym
  OR NEW.name <> OLD.name OR NEW.active <> OLD.active OR NEW.blocked <> OLD.blocked
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_version_ends BEFORE UPDATE ON mandate_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.mandate <> OLD.mandate OR NEW.version <> OLD.version OR NEW.since <> OLD.since OR NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd

-- Everything else is never updated, and nothing at all is deleted.

-- +goose StatementBegin
CREATE TRIGGER register_kept BEFORE UPDATE ON register BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER register_stays BEFORE DELETE ON register BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER head_stays BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_kept BEFORE UPDATE ON revision BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER revision_stays BEFORE DELETE ON revision BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_feed_kept BEFORE UPDATE ON change_feed BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER change_feed_stays BEFORE DELETE ON change_feed BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER organisation_kept BEFORE UPDATE ON organisation BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER organisation_stays BEFORE DELETE ON organisation BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER organisation_version_stays BEFORE DELETE ON organisation_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_kept BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_stays BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER person_version_stays BEFORE DELETE ON person_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_kept BEFORE UPDATE ON mandate BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_stays BEFORE DELETE ON mandate BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_version_stays BEFORE DELETE ON mandate_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_scope_kept BEFORE UPDATE ON mandate_scope BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_scope_stays BEFORE DELETE ON mandate_scope BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_establishment_kept BEFORE UPDATE ON mandate_establishment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER mandate_establishment_stays BEFORE DELETE ON mandate_establishment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogue_version_kept BEFORE UPDATE ON catalogue_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalogue_version_stays BEFORE DELETE ON catalogue_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
-- +goose StatementEnd
