-- The register, first edition, in PostgreSQL.
--
-- The tables are those of the edition for SQLite, row for row, and so are the rules:
--
--   Nothing is deleted and nothing is overwritten. What can change stands in a
--   table of versions, each known from revision `since` up to, not including,
--   revision `until`. The current version has until = 9223372036854775807. The
--   only update ever made is to give `until` its value, once.
--
--   What was known at revision R is every row with since <= R and until > R. Now
--   is no different: R is then the newest revision. No later change makes that
--   set of rows another one, so that whoever knows R needs no transaction to see
--   one moment.
--
-- A version with since = until was made and replaced within one change. Nobody
-- ever saw it, and no question finds it.
--
-- Moments are milliseconds since 1970, UTC. Text is compared byte by byte
-- (COLLATE "C"), whatever the language of the database.
--
-- Everything stands in the schema that is current when this runs, beside what
-- other rooms may keep there.

-- +goose Up

-- What is fixed for the register's life. One row.
CREATE TABLE register (
    one     integer PRIMARY KEY CHECK (one = 1),
    entity  text COLLATE "C" NOT NULL CHECK (entity ~ '^urn:etoegang:MR:'),
    lease   bigint  NOT NULL CHECK (lease > 0),                  -- milliseconds
    secret  bytea   NOT NULL CHECK (octet_length(secret) = 32),  -- every other key is derived from it
    created bigint  NOT NULL
);

-- Every change ever made, numbered without gaps in the order of their commits.
-- Revision 0 is the empty register.
CREATE TABLE revision (
    revision bigint PRIMARY KEY,
    tag      bytea  NOT NULL CHECK (octet_length(tag) = 16),  -- random: tells a restored backup from what it replaced
    at       bigint NOT NULL,                                 -- never before the revision before it
    who      text COLLATE "C" NOT NULL CHECK (who <> ''),
    why      text COLLATE "C" NOT NULL CHECK (why <> '')
);
CREATE INDEX revision_at ON revision (at);

-- The newest revision. One row, updated first in every change and so locked to
-- its commit: changes form one line, and numbers follow commits.
CREATE TABLE head (
    one      integer PRIMARY KEY CHECK (one = 1),
    revision bigint  NOT NULL REFERENCES revision DEFERRABLE INITIALLY DEFERRED
);

-- Whom each revision touched: a keyed hash of an identity, or '*' for everybody.
CREATE TABLE change_feed (
    revision bigint NOT NULL REFERENCES revision,
    party    bytea  NOT NULL CHECK (octet_length(party) = 16 OR party = '\x2a'),
    PRIMARY KEY (revision, party)
);

-- Who exists: the numbers that mandates refer to, given out by whoever holds the
-- head, each one above the last: no sequence, which would skip numbers. What is known about them stands
-- in their versions, all in one row, because every decision reads it.
CREATE TABLE organisation (id bigint PRIMARY KEY);
CREATE TABLE person (id bigint PRIMARY KEY);

-- A company is its KvK number, for life: no two companies have a first version with
-- the same number, and later versions keep it.
CREATE TABLE organisation_version (
    organisation bigint  NOT NULL REFERENCES organisation,
    version      integer NOT NULL CHECK (version >= 1),
    since        bigint  NOT NULL REFERENCES revision,
    until        bigint  NOT NULL CHECK (until >= since),
    kvk          text COLLATE "C" NOT NULL CHECK (kvk ~ '^[0-9]{8}$'),
    rsin         text COLLATE "C" CHECK (rsin ~ '^[0-9]{9}$'),  -- NULL: sole proprietor
    name         text COLLATE "C" NOT NULL,
    active       boolean NOT NULL,
    blocked      boolean NOT NULL,  -- the emergency stop
    PRIMARY KEY (organisation, version),
    UNIQUE (kvk, version)
);
CREATE INDEX organisation_by_rsin ON organisation_version (rsin, since) WHERE rsin IS NOT NULL;
CREATE UNIQUE INDEX organisation_rsin_once ON organisation_version (rsin)
    WHERE until = 9223372036854775807 AND rsin IS NOT NULL;
CREATE INDEX organisation_blocked ON organisation_version (organisation) WHERE blocked;

-- A person is a pseudonym at an authentication service, for life.
CREATE TABLE person_version (
    person        bigint  NOT NULL REFERENCES person,
    version       integer NOT NULL CHECK (version >= 1),
    since         bigint  NOT NULL REFERENCES revision,
    until         bigint  NOT NULL CHECK (until >= since),
    authenticator text COLLATE "C" NOT NULL CHECK (authenticator ~ '^urn:etoegang:'),
    pseudonym     text COLLATE "C" NOT NULL CHECK (pseudonym ~ '^[0-9A-Fa-f]{64}$'),
    name          text COLLATE "C" NOT NULL,
    active        boolean NOT NULL,
    blocked       boolean NOT NULL,
    PRIMARY KEY (person, version),
    UNIQUE (pseudonym, authenticator, version)
);
CREATE INDEX person_blocked ON person_version (person) WHERE blocked;

-- What was agreed. It never changes: whoever wants something else grants a new
-- mandate. Only its state has versions.
CREATE TABLE mandate (
    id           bigint PRIMARY KEY,
    kind         text COLLATE "C" NOT NULL,
    grantor      bigint  NOT NULL REFERENCES organisation,
    represented  bigint  NOT NULL REFERENCES organisation,  -- the grantor; for an assignment its client company
    person       bigint  REFERENCES person,
    intermediary bigint  REFERENCES organisation,
    client       bigint  REFERENCES mandate,                -- the chain mandate that an assignment passes on
    register     text COLLATE "C" CHECK (register ~ '^urn:etoegang:MR:'),  -- NULL: held here
    limited      boolean NOT NULL,                          -- to the establishments listed
    valid_from   bigint  NOT NULL CHECK (valid_from % 1000 = 0),
    valid_to     bigint  NOT NULL CHECK (valid_to % 1000 = 0),
    reference    text COLLATE "C" NOT NULL CHECK (octet_length(reference) <= 255),
    CHECK (valid_from < valid_to),
    CHECK (valid_to - valid_from <= 157856400000),  -- five years, two of them leap years, and a summer hour
    CHECK (kind IN ('direct', 'chain', 'assignment')),
    CHECK (CASE kind
        WHEN 'direct' THEN
            person IS NOT NULL AND intermediary IS NULL AND client IS NULL
            AND register IS NULL AND represented = grantor
        WHEN 'chain' THEN
            person IS NULL AND intermediary IS NOT NULL AND client IS NULL
            AND NOT limited AND represented = grantor AND intermediary <> grantor
        WHEN 'assignment' THEN
            person IS NOT NULL AND intermediary IS NULL AND client IS NOT NULL
            AND register IS NULL AND NOT limited AND represented <> grantor
        END)
);
CREATE INDEX mandate_held_by ON mandate (person, represented, id) WHERE person IS NOT NULL;
CREATE INDEX mandate_between ON mandate (grantor, intermediary) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_grantor ON mandate (grantor, id);
CREATE INDEX mandate_by_intermediary ON mandate (intermediary, id) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_client ON mandate (client) WHERE client IS NOT NULL;

CREATE TABLE mandate_version (
    mandate bigint  NOT NULL REFERENCES mandate,
    version integer NOT NULL CHECK (version >= 1),
    since   bigint  NOT NULL REFERENCES revision,
    until   bigint  NOT NULL CHECK (until >= since),
    state   text COLLATE "C" NOT NULL CHECK (state IN (
        'draft', 'requested', 'awaiting-signatures', 'awaiting-acceptance', 'active', 'suspended',
        'revoked', 'lapsed-unused', 'superseded', 'rejected', 'withdrawn', 'request-expired')),
    PRIMARY KEY (mandate, version)
);

-- What a mandate covers. Both empty: everything.
CREATE TABLE mandate_scope (
    mandate  bigint NOT NULL REFERENCES mandate,
    service  text COLLATE "C" NOT NULL CHECK (service = '' OR length(service) = 36),
    provider text COLLATE "C" NOT NULL CHECK (provider ~ '^([0-9]{20})?$'),
    level    text COLLATE "C" NOT NULL CHECK (level IN ('loa2', 'loa2plus', 'loa3', 'loa4')),
    PRIMARY KEY (mandate, service, provider),
    CHECK (service = '' OR provider = '')
);

CREATE TABLE mandate_establishment (
    mandate       bigint NOT NULL REFERENCES mandate,
    establishment text COLLATE "C" NOT NULL CHECK (establishment ~ '^[0-9]{12}$'),
    PRIMARY KEY (mandate, establishment)
);

-- Every service catalogue the register ever decided by: evidence of what a
-- mandate meant on the day it was used.
CREATE TABLE catalogue_version (
    sequence bigint PRIMARY KEY CHECK (sequence > 0),
    since    bigint NOT NULL REFERENCES revision,
    version  text COLLATE "C" NOT NULL,
    issued   bigint NOT NULL,
    sha256   bytea  NOT NULL CHECK (octet_length(sha256) = 32),  -- of the document as it was signed
    signer   text COLLATE "C" NOT NULL,
    loaded   bigint NOT NULL,
    document bytea  NOT NULL                                     -- gzip
);

-- The newest revision only ever goes up by one, and revisions are written as it does.

-- +goose StatementBegin
CREATE FUNCTION head_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> OLD.revision + 1 OR NEW.one <> OLD.one THEN
        RAISE EXCEPTION 'the revision goes up by one';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER head_steps BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION head_steps();

-- +goose StatementBegin
CREATE FUNCTION revision_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> coalesce((SELECT h.revision FROM head h), 0)
        OR NEW.at < (SELECT r.at FROM revision r WHERE r.revision = NEW.revision - 1) THEN
        RAISE EXCEPTION 'a revision follows the one before it, in number and in time';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER revision_follows BEFORE INSERT ON revision FOR EACH ROW EXECUTE FUNCTION revision_follows();

-- +goose StatementBegin
CREATE FUNCTION change_feed_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> (SELECT h.revision FROM head h) THEN
        RAISE EXCEPTION 'only the newest revision can be written';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER change_feed_now BEFORE INSERT ON change_feed FOR EACH ROW EXECUTE FUNCTION change_feed_now();

-- A version begins at the newest revision, where the version before it ended.

-- +goose StatementBegin
CREATE FUNCTION organisation_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM organisation_version v
            WHERE v.organisation = NEW.organisation AND v.version = NEW.version - 1 AND v.until = NEW.since AND v.kvk = NEW.kvk) THEN
        RAISE EXCEPTION 'a version follows the one before it';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER organisation_version_follows BEFORE INSERT ON organisation_version
    FOR EACH ROW EXECUTE FUNCTION organisation_version_follows();

-- +goose StatementBegin
CREATE FUNCTION person_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM person_version v
            WHERE v.person = NEW.person AND v.version = NEW.version - 1 AND v.until = NEW.since
              AND v.authenticator = NEW.authenticator AND v.pseudonym = NEW.pseudonym) THEN
        RAISE EXCEPTION 'a version follows the one before it';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER person_version_follows BEFORE INSERT ON person_version
    FOR EACH ROW EXECUTE FUNCTION person_version_follows();

-- +goose StatementBegin
CREATE FUNCTION mandate_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM mandate_version v
            WHERE v.mandate = NEW.mandate AND v.version = NEW.version - 1 AND v.until = NEW.since
              AND v.state NOT IN ('revoked', 'lapsed-unused', 'superseded', 'rejected', 'withdrawn', 'request-expired')) THEN
        RAISE EXCEPTION 'a version follows the one before it, and nothing follows an end';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER mandate_version_follows BEFORE INSERT ON mandate_version
    FOR EACH ROW EXECUTE FUNCTION mandate_version_follows();

-- +goose StatementBegin
CREATE FUNCTION catalogue_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h) OR NEW.sequence <= (SELECT max(c.sequence) FROM catalogue_version c) THEN
        RAISE EXCEPTION 'the sequence of the catalogue rises';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER catalogue_version_follows BEFORE INSERT ON catalogue_version
    FOR EACH ROW EXECUTE FUNCTION catalogue_version_follows();

-- A chain is never longer than one intermediary: an assignment passes on a chain
-- mandate that its grantor received, on behalf of the company that gave it.

-- +goose StatementBegin
CREATE FUNCTION mandate_assigns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate m
        WHERE m.id = NEW.client AND m.kind = 'chain' AND m.intermediary = NEW.grantor AND m.grantor = NEW.represented) THEN
        RAISE EXCEPTION 'an assignment passes on a chain mandate of its grantor';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER mandate_assigns BEFORE INSERT ON mandate
    FOR EACH ROW WHEN (NEW.client IS NOT NULL) EXECUTE FUNCTION mandate_assigns();

-- What a mandate covers is written in the change that grants it, and not later.

-- +goose StatementBegin
CREATE FUNCTION mandate_scope_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate_version v
        WHERE v.mandate = NEW.mandate AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the scope of a mandate is fixed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER mandate_scope_fixed BEFORE INSERT ON mandate_scope FOR EACH ROW EXECUTE FUNCTION mandate_scope_fixed();

-- +goose StatementBegin
CREATE FUNCTION mandate_establishment_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate m JOIN mandate_version v ON v.mandate = m.id
        WHERE m.id = NEW.mandate AND m.limited AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the establishments of a mandate are fixed';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER mandate_establishment_fixed BEFORE INSERT ON mandate_establishment
    FOR EACH ROW EXECUTE FUNCTION mandate_establishment_fixed();

-- A version ends once, at the newest revision, and nothing else about it changes.

-- +goose StatementBegin
CREATE FUNCTION version_ends() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    now_until bigint := NEW.until;
BEGIN
    NEW.until := OLD.until;
    IF OLD.until <> 9223372036854775807 OR now_until <> (SELECT h.revision FROM head h) OR NEW IS DISTINCT FROM OLD THEN
        RAISE EXCEPTION 'history cannot be changed';
    END IF;
    NEW.until := now_until;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER organisation_version_ends BEFORE UPDATE ON organisation_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER person_version_ends BEFORE UPDATE ON person_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER mandate_version_ends BEFORE UPDATE ON mandate_version FOR EACH ROW EXECUTE FUNCTION version_ends();

-- Everything else is never updated, and nothing at all is deleted.

-- +goose StatementBegin
CREATE FUNCTION history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history cannot be changed';
END $$;
-- +goose StatementEnd
CREATE TRIGGER register_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON register EXECUTE FUNCTION history_stays();
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON head EXECUTE FUNCTION history_stays();
CREATE TRIGGER revision_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON revision EXECUTE FUNCTION history_stays();
CREATE TRIGGER change_feed_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON change_feed EXECUTE FUNCTION history_stays();
CREATE TRIGGER organisation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON organisation EXECUTE FUNCTION history_stays();
CREATE TRIGGER organisation_version_stays BEFORE DELETE OR TRUNCATE ON organisation_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER person_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON person EXECUTE FUNCTION history_stays();
CREATE TRIGGER person_version_stays BEFORE DELETE OR TRUNCATE ON person_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_version_stays BEFORE DELETE OR TRUNCATE ON mandate_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_scope_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_scope EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_establishment_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_establishment EXECUTE FUNCTION history_stays();
CREATE TRIGGER catalogue_version_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue_version EXECUTE FUNCTION history_stays();
