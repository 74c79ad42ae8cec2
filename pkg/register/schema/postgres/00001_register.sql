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

-- Where a version of a company is looked for by people: its name from each word to the
-- end, in letters that sort and compare, and its number. Word 0 is the whole name; the
-- number is word -1.
CREATE TABLE organisation_name (
    organisation bigint  NOT NULL,
    version      integer NOT NULL,
    word         integer NOT NULL CHECK (word >= -1),
    text         text COLLATE "C" NOT NULL,
    PRIMARY KEY (organisation, version, word),
    FOREIGN KEY (organisation, version) REFERENCES organisation_version
);
CREATE INDEX organisation_name_found ON organisation_name (text, organisation, version, word);
CREATE INDEX organisation_name_sorted ON organisation_name (text, organisation, version) WHERE word = 0;

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
    supersedes   bigint  REFERENCES mandate,                -- whose place it takes once it is in force
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
CREATE INDEX mandate_held_directly ON mandate (person, represented) WHERE kind = 'direct';
CREATE INDEX mandate_between ON mandate (intermediary, grantor) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_grantor ON mandate (grantor, id);
CREATE INDEX mandate_by_intermediary ON mandate (intermediary, id) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_client ON mandate (client) WHERE client IS NOT NULL;
CREATE INDEX mandate_ending ON mandate (valid_to, id);
CREATE INDEX mandate_by_predecessor ON mandate (supersedes) WHERE supersedes IS NOT NULL;

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

-- What changed since a revision, in the order in which it did.
CREATE INDEX mandate_changed ON mandate_version (since, mandate);

-- Those that still wait for somebody's answer: few.
CREATE INDEX mandate_pending ON mandate_version (mandate)
    WHERE until = 9223372036854775807 AND state IN ('draft', 'requested', 'awaiting-signatures', 'awaiting-acceptance');

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

-- What the trade register says of a company.
CREATE TABLE entry_version (
    organisation bigint NOT NULL REFERENCES organisation,
    version      integer NOT NULL CHECK (version >= 1),
    since        bigint NOT NULL REFERENCES revision,
    until        bigint NOT NULL CHECK (until >= since),
    form         text COLLATE "C"    NOT NULL CHECK (form IN ('', 'sole-proprietorship', 'partnership', 'legal-person', 'public-body')),
    standing     text COLLATE "C"    NOT NULL CHECK (standing IN ('', 'moratorium', 'bankrupt', 'dissolved', 'deregistered')),
    PRIMARY KEY (organisation, version)
);

-- Who may manage mandates for whom. Without organisation: the register's own staff. The
-- invitation is the hash of a secret that was handed over once; the account, once it was
-- used, a keyed hash of who logged in.
CREATE TABLE appointment (
    id           bigint PRIMARY KEY,
    organisation bigint REFERENCES organisation,
    role         text COLLATE "C"    NOT NULL CHECK (role IN ('administrator', 'director', 'program', 'reader', 'staff')),
    authority    text COLLATE "C"    NOT NULL CHECK (authority IN ('', 'alone', 'jointly', 'limited')),
    name         text COLLATE "C"    NOT NULL CHECK (name <> '' AND octet_length(name) <= 100),
    level        text COLLATE "C"    NOT NULL CHECK (level IN ('loa2', 'loa2plus', 'loa3', 'loa4')),
    valid_from   bigint NOT NULL CHECK (valid_from % 1000 = 0),
    valid_to     bigint NOT NULL CHECK (valid_to % 1000 = 0),
    invitation   bytea    UNIQUE CHECK (octet_length(invitation) = 32),
    CHECK (valid_from < valid_to),
    CHECK (valid_to - valid_from <= 157856400000),
    CHECK ((role = 'staff') = (organisation IS NULL)),
    CHECK ((role = 'director') = (authority <> ''))
);
CREATE INDEX appointment_in ON appointment (organisation, id);
CREATE INDEX appointment_ending ON appointment (valid_to, id);

CREATE TABLE appointment_version (
    appointment bigint NOT NULL REFERENCES appointment,
    version     integer NOT NULL CHECK (version >= 1),
    since       bigint NOT NULL REFERENCES revision,
    until       bigint NOT NULL CHECK (until >= since),
    state       text COLLATE "C"    NOT NULL CHECK (state IN ('invited', 'appointed', 'dismissed')),
    account     bytea    CHECK (octet_length(account) = 32),
    email       text COLLATE "C" NOT NULL CHECK (octet_length(email) <= 254),  -- where its holder wants to be written to; empty: nowhere
    language    text COLLATE "C" NOT NULL CHECK (language IN ('', 'nl', 'en')),
    PRIMARY KEY (appointment, version),
    CHECK ((email = '') = (language = ''))
);
CREATE INDEX appointment_of ON appointment_version (account, appointment) WHERE account IS NOT NULL;

-- With what a program shows who it is: the SHA-256 of a certificate or of a public key.
CREATE TABLE credential (
    fingerprint bytea    NOT NULL CHECK (octet_length(fingerprint) = 32),
    appointment bigint NOT NULL REFERENCES appointment,
    public      bytea    NOT NULL,  -- the key itself, DER
    PRIMARY KEY (fingerprint, appointment)
);

-- The papers on which it rests that an appointment was ended.
CREATE TABLE dismissal_evidence (
    appointment bigint NOT NULL REFERENCES appointment,
    number      integer NOT NULL CHECK (number >= 1),
    kind        text COLLATE "C"    NOT NULL CHECK (kind IN ('signed-form', 'extract', 'identified', 'resolution', 'notice')),
    sha256      bytea  CHECK (octet_length(sha256) = 32),  -- NULL: it was seen, and not kept
    dated       bigint NOT NULL,
    place       text COLLATE "C"    NOT NULL CHECK (place <> '' AND octet_length(place) <= 255),
    PRIMARY KEY (appointment, number)
);

-- How a mandate was asked for, if it was.
CREATE TABLE request (
    mandate    bigint PRIMARY KEY REFERENCES mandate,
    asked_by   text COLLATE "C"    NOT NULL CHECK (asked_by IN ('grantor', 'receiver', 'register')),
    offer      boolean NOT NULL,  -- the receiver accepts what the grantor gives
    expires    bigint NOT NULL,
    hands_over bigint REFERENCES mandate  -- the assignment of a colleague that ends once this one is in force
);

-- The very text that somebody agreed to.
CREATE TABLE consent (
    sha256   bytea PRIMARY KEY CHECK (octet_length(sha256) = 32),
    language text COLLATE "C" NOT NULL CHECK (language IN ('nl', 'en')),
    text     text COLLATE "C" NOT NULL CHECK (text <> '')
);

-- Who did what to a mandate, one after the other; also what leaves its state as it was,
-- such as the first of two signatures. Without appointment it was done at the register's
-- own command line, or because time had passed.
CREATE TABLE step (
    mandate     bigint NOT NULL REFERENCES mandate,
    number      integer NOT NULL CHECK (number >= 1),
    since       bigint NOT NULL REFERENCES revision,
    act         text COLLATE "C"    NOT NULL CHECK (act IN ('ask', 'agree', 'refuse', 'expire', 'suspend', 'resume', 'revoke', 'narrow', 'lapse')),
    side        text COLLATE "C"    NOT NULL CHECK (side IN ('grantor', 'receiver', 'register', 'rule')),
    appointment bigint REFERENCES appointment,
    consent     bytea    REFERENCES consent,
    catalogue   bigint REFERENCES catalogue_version,  -- that it was read by
    PRIMARY KEY (mandate, number)
);

-- The papers on which a step rests.
CREATE TABLE evidence (
    mandate bigint NOT NULL,
    step    integer NOT NULL,
    number  integer NOT NULL CHECK (number >= 1),
    kind    text COLLATE "C"    NOT NULL CHECK (kind IN ('signed-form', 'extract', 'identified', 'resolution', 'notice')),
    sha256  bytea    CHECK (octet_length(sha256) = 32),  -- NULL: it was seen, and not kept
    dated   bigint NOT NULL,
    place   text COLLATE "C"    NOT NULL CHECK (place <> '' AND octet_length(place) <= 255),
    PRIMARY KEY (mandate, step, number),
    FOREIGN KEY (mandate, step) REFERENCES step
);

-- What somebody is to be told, written in the change of which it tells: of a mandate, of an
-- appointment, or of a company. It waits until the change that puts it into letters, or
-- finds that nobody wants one: that is the end of it, `until`.
CREATE TABLE notice (
    id           bigint PRIMARY KEY,
    since        bigint NOT NULL REFERENCES revision,
    until        bigint NOT NULL CHECK (until >= since),
    kind         text COLLATE "C" NOT NULL CHECK (kind IN (
        'answer', 'sign', 'asked', 'agreed', 'granted', 'refused', 'recalled', 'unanswered', 'narrowed', 'paused',
        'resumed', 'ended', 'ending', 'unused', 'lapsed', 'appointment-ending', 'unmanaged', 'standing')),
    organisation bigint REFERENCES organisation,  -- who is told; NULL: the register's own staff
    mandate      bigint REFERENCES mandate,
    appointment  bigint REFERENCES appointment,
    company      bigint REFERENCES organisation,
    days         integer NOT NULL CHECK (days >= 0),  -- before something ends; else 0
    author       bigint REFERENCES appointment,   -- who did it, and need not be told
    at           bigint NOT NULL,                 -- when it became so
    once         text COLLATE "C" NOT NULL UNIQUE,          -- of what it tells: nobody is told that twice
    CHECK ((mandate IS NULL) OR (appointment IS NULL AND company IS NULL)),
    CHECK ((appointment IS NULL) OR (company IS NULL)),
    CHECK (mandate IS NOT NULL OR appointment IS NOT NULL OR company IS NOT NULL)
);
CREATE INDEX notice_waiting ON notice (at, id) WHERE until = 9223372036854775807;
CREATE INDEX notice_waiting_for ON notice (coalesce(organisation, 0), id) WHERE until = 9223372036854775807;
CREATE INDEX notice_of_mandate ON notice (mandate, kind, days) WHERE mandate IS NOT NULL;
CREATE INDEX notice_of_appointment ON notice (appointment, kind, days) WHERE appointment IS NOT NULL;

-- A letter is to the holder of an appointment, and has one or more notices in it. What it
-- says is what was known at the revision in which it was made.
CREATE TABLE letter (
    id          bigint PRIMARY KEY,
    since       bigint NOT NULL REFERENCES revision,
    appointment bigint NOT NULL REFERENCES appointment,
    UNIQUE (id, appointment)
);

CREATE TABLE letter_notice (
    letter      bigint NOT NULL,
    notice      bigint NOT NULL REFERENCES notice,
    appointment bigint NOT NULL,
    PRIMARY KEY (letter, notice),
    UNIQUE (notice, appointment),  -- nobody is told twice
    FOREIGN KEY (letter, appointment) REFERENCES letter (id, appointment)
);

-- What became of a letter. One that is taken is being delivered, and if nobody has heard of
-- it when it is due, it may be taken again.
CREATE TABLE letter_version (
    letter  bigint NOT NULL REFERENCES letter,
    version integer NOT NULL CHECK (version >= 1),
    since   bigint NOT NULL REFERENCES revision,
    until   bigint NOT NULL CHECK (until >= since),
    state   text COLLATE "C" NOT NULL CHECK (state IN ('waiting', 'taken', 'sent', 'refused', 'given-up')),
    tries   integer NOT NULL CHECK (tries >= 0),
    due     bigint NOT NULL,
    PRIMARY KEY (letter, version)
);
CREATE INDEX letter_open ON letter_version (due, letter) WHERE until = 9223372036854775807 AND state IN ('waiting', 'taken');

-- Who of an intermediary's employees work for which clients together. What they may do is in
-- their assignments, and nowhere here.
CREATE TABLE team (
    id           bigint PRIMARY KEY,
    organisation bigint NOT NULL REFERENCES organisation
);
CREATE INDEX team_of ON team (organisation);

CREATE TABLE team_version (
    team    bigint NOT NULL REFERENCES team,
    version integer NOT NULL CHECK (version >= 1),
    since   bigint NOT NULL REFERENCES revision,
    until   bigint NOT NULL CHECK (until >= since),
    name    text COLLATE "C" NOT NULL CHECK (name <> '' AND octet_length(name) <= 100),
    PRIMARY KEY (team, version)
);

CREATE TABLE team_member (
    team   bigint NOT NULL REFERENCES team,
    person bigint NOT NULL REFERENCES person,
    since  bigint NOT NULL REFERENCES revision,
    until  bigint NOT NULL CHECK (until >= since),
    PRIMARY KEY (team, person, since)
);
CREATE UNIQUE INDEX team_member_once ON team_member (person, team) WHERE until = 9223372036854775807;

CREATE TABLE team_client (
    team         bigint NOT NULL REFERENCES team,
    organisation bigint NOT NULL REFERENCES organisation,
    since        bigint NOT NULL REFERENCES revision,
    until        bigint NOT NULL CHECK (until >= since),
    PRIMARY KEY (team, organisation, since)
);
CREATE UNIQUE INDEX team_client_once ON team_client (organisation, team) WHERE until = 9223372036854775807;

-- What a company has to pay for a mandate, written when that comes in force. It ends nothing.
CREATE TABLE fee (
    mandate bigint PRIMARY KEY REFERENCES mandate,
    since   bigint NOT NULL REFERENCES revision,
    cents   bigint NOT NULL CHECK (cents > 0)  -- without VAT
);

-- The newest revision only ever goes up by one, and revisions are written as it does.

CREATE FUNCTION head_steps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> OLD.revision + 1 OR NEW.one <> OLD.one THEN
        RAISE EXCEPTION 'the revision goes up by one';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER head_steps BEFORE UPDATE ON head FOR EACH ROW EXECUTE FUNCTION head_steps();

CREATE FUNCTION revision_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> coalesce((SELECT h.revision FROM head h), 0)
        OR NEW.at < (SELECT r.at FROM revision r WHERE r.revision = NEW.revision - 1) THEN
        RAISE EXCEPTION 'a revision follows the one before it, in number and in time';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER revision_follows BEFORE INSERT ON revision FOR EACH ROW EXECUTE FUNCTION revision_follows();

CREATE FUNCTION change_feed_now() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.revision <> (SELECT h.revision FROM head h) THEN
        RAISE EXCEPTION 'only the newest revision can be written';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER change_feed_now BEFORE INSERT ON change_feed FOR EACH ROW EXECUTE FUNCTION change_feed_now();

-- A version begins at the newest revision, where the version before it ended.

CREATE FUNCTION organisation_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM organisation_version v
            WHERE v.organisation = NEW.organisation AND v.version = NEW.version - 1 AND v.until = NEW.since AND v.kvk = NEW.kvk) THEN
        RAISE EXCEPTION 'a version follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_version_follows BEFORE INSERT ON organisation_version
    FOR EACH ROW EXECUTE FUNCTION organisation_version_follows();

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
CREATE TRIGGER person_version_follows BEFORE INSERT ON person_version
    FOR EACH ROW EXECUTE FUNCTION person_version_follows();

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
CREATE TRIGGER mandate_version_follows BEFORE INSERT ON mandate_version
    FOR EACH ROW EXECUTE FUNCTION mandate_version_follows();

CREATE FUNCTION catalogue_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h) OR NEW.sequence <= (SELECT max(c.sequence) FROM catalogue_version c) THEN
        RAISE EXCEPTION 'the sequence of the catalogue rises';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER catalogue_version_follows BEFORE INSERT ON catalogue_version
    FOR EACH ROW EXECUTE FUNCTION catalogue_version_follows();

CREATE FUNCTION entry_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM entry_version v
            WHERE v.organisation = NEW.organisation AND v.version = NEW.version - 1 AND v.until = NEW.since) THEN
        RAISE EXCEPTION 'a version follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER entry_version_follows BEFORE INSERT ON entry_version FOR EACH ROW EXECUTE FUNCTION entry_version_follows();

CREATE FUNCTION appointment_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM appointment_version v
            WHERE v.appointment = NEW.appointment AND v.version = NEW.version - 1 AND v.until = NEW.since AND v.state <> 'dismissed'
              AND (v.account IS NULL OR v.account IS NOT DISTINCT FROM NEW.account)) THEN
        RAISE EXCEPTION 'a version follows the one before it, and nothing follows an end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER appointment_version_follows BEFORE INSERT ON appointment_version
    FOR EACH ROW EXECUTE FUNCTION appointment_version_follows();

CREATE FUNCTION step_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.number <> (SELECT coalesce(max(s.number), 0) + 1 FROM step s WHERE s.mandate = NEW.mandate) THEN
        RAISE EXCEPTION 'a step follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER step_follows BEFORE INSERT ON step FOR EACH ROW EXECUTE FUNCTION step_follows();

CREATE FUNCTION notice_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h) OR NEW.until <> 9223372036854775807
        OR NEW.id <> (SELECT coalesce(max(n.id), 0) + 1 FROM notice n) THEN
        RAISE EXCEPTION 'a notice follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER notice_follows BEFORE INSERT ON notice FOR EACH ROW EXECUTE FUNCTION notice_follows();

CREATE FUNCTION letter_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.id <> (SELECT coalesce(max(l.id), 0) + 1 FROM letter l) THEN
        RAISE EXCEPTION 'a letter follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER letter_follows BEFORE INSERT ON letter FOR EACH ROW EXECUTE FUNCTION letter_follows();

CREATE FUNCTION letter_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM letter_version v
            WHERE v.letter = NEW.letter AND v.version = NEW.version - 1 AND v.until = NEW.since AND v.tries <= NEW.tries
              AND v.state NOT IN ('sent', 'refused', 'given-up')) THEN
        RAISE EXCEPTION 'a version follows the one before it, and nothing follows an end';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER letter_version_follows BEFORE INSERT ON letter_version FOR EACH ROW EXECUTE FUNCTION letter_version_follows();

CREATE FUNCTION team_version_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h)
        OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM team_version v
            WHERE v.team = NEW.team AND v.version = NEW.version - 1 AND v.until = NEW.since) THEN
        RAISE EXCEPTION 'a version follows the one before it';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER team_version_follows BEFORE INSERT ON team_version FOR EACH ROW EXECUTE FUNCTION team_version_follows();

CREATE FUNCTION team_part_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h) THEN
        RAISE EXCEPTION 'only the newest revision can be written';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER team_member_begins BEFORE INSERT ON team_member FOR EACH ROW EXECUTE FUNCTION team_part_begins();
CREATE TRIGGER team_client_begins BEFORE INSERT ON team_client FOR EACH ROW EXECUTE FUNCTION team_part_begins();

-- A chain is never longer than one intermediary: an assignment passes on a chain
-- mandate that its grantor received, on behalf of the company that gave it.

CREATE FUNCTION mandate_assigns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate m
        WHERE m.id = NEW.client AND m.kind = 'chain' AND m.intermediary = NEW.grantor AND m.grantor = NEW.represented) THEN
        RAISE EXCEPTION 'an assignment passes on a chain mandate of its grantor';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mandate_assigns BEFORE INSERT ON mandate
    FOR EACH ROW WHEN (NEW.client IS NOT NULL) EXECUTE FUNCTION mandate_assigns();

-- What a mandate covers is written in the change that grants it, and not later.

CREATE FUNCTION mandate_scope_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate_version v
        WHERE v.mandate = NEW.mandate AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the scope of a mandate is fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mandate_scope_fixed BEFORE INSERT ON mandate_scope FOR EACH ROW EXECUTE FUNCTION mandate_scope_fixed();

CREATE FUNCTION mandate_establishment_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate m JOIN mandate_version v ON v.mandate = m.id
        WHERE m.id = NEW.mandate AND m.limited AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the establishments of a mandate are fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER mandate_establishment_fixed BEFORE INSERT ON mandate_establishment
    FOR EACH ROW EXECUTE FUNCTION mandate_establishment_fixed();

-- So is how it was asked for, and on which papers a step or a dismissal rests.

CREATE FUNCTION request_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM mandate_version v
        WHERE v.mandate = NEW.mandate AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'how a mandate was asked for is fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER request_fixed BEFORE INSERT ON request FOR EACH ROW EXECUTE FUNCTION request_fixed();

CREATE FUNCTION evidence_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM step s
        WHERE s.mandate = NEW.mandate AND s.number = NEW.step AND s.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the evidence of a step is fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER evidence_fixed BEFORE INSERT ON evidence FOR EACH ROW EXECUTE FUNCTION evidence_fixed();

CREATE FUNCTION credential_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM appointment_version v
        WHERE v.appointment = NEW.appointment AND v.version = 1 AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the credentials of an appointment are fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER credential_fixed BEFORE INSERT ON credential FOR EACH ROW EXECUTE FUNCTION credential_fixed();

CREATE FUNCTION dismissal_evidence_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM appointment_version v
        WHERE v.appointment = NEW.appointment AND v.state = 'dismissed' AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the evidence of a dismissal is fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER dismissal_evidence_fixed BEFORE INSERT ON dismissal_evidence FOR EACH ROW EXECUTE FUNCTION dismissal_evidence_fixed();

-- So are the names of a version.

CREATE FUNCTION organisation_name_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM organisation_version v
        WHERE v.organisation = NEW.organisation AND v.version = NEW.version AND v.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the names of a version are fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER organisation_name_fixed BEFORE INSERT ON organisation_name FOR EACH ROW EXECUTE FUNCTION organisation_name_fixed();

-- So are the notices in a letter.

CREATE FUNCTION letter_notice_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM letter l WHERE l.id = NEW.letter AND l.since = (SELECT h.revision FROM head h)) THEN
        RAISE EXCEPTION 'the notices in a letter are fixed';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER letter_notice_fixed BEFORE INSERT ON letter_notice FOR EACH ROW EXECUTE FUNCTION letter_notice_fixed();

-- A fee is written in the change in which its mandate comes in force.

CREATE FUNCTION fee_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.since <> (SELECT h.revision FROM head h) OR NOT EXISTS (SELECT 1 FROM mandate_version v
        WHERE v.mandate = NEW.mandate AND v.since = NEW.since AND v.state = 'active') THEN
        RAISE EXCEPTION 'a fee is written when its mandate comes in force';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER fee_fixed BEFORE INSERT ON fee FOR EACH ROW EXECUTE FUNCTION fee_fixed();

-- A version ends once, at the newest revision, and nothing else about it changes.

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
CREATE TRIGGER organisation_version_ends BEFORE UPDATE ON organisation_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER person_version_ends BEFORE UPDATE ON person_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER mandate_version_ends BEFORE UPDATE ON mandate_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER entry_version_ends BEFORE UPDATE ON entry_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER appointment_version_ends BEFORE UPDATE ON appointment_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER notice_ends BEFORE UPDATE ON notice FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER letter_version_ends BEFORE UPDATE ON letter_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER team_version_ends BEFORE UPDATE ON team_version FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER team_member_ends BEFORE UPDATE ON team_member FOR EACH ROW EXECUTE FUNCTION version_ends();
CREATE TRIGGER team_client_ends BEFORE UPDATE ON team_client FOR EACH ROW EXECUTE FUNCTION version_ends();

-- Everything else is never updated, and nothing at all is deleted.

CREATE FUNCTION history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'history cannot be changed';
END $$;
CREATE TRIGGER register_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON register EXECUTE FUNCTION history_stays();
CREATE TRIGGER head_stays BEFORE DELETE OR TRUNCATE ON head EXECUTE FUNCTION history_stays();
CREATE TRIGGER revision_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON revision EXECUTE FUNCTION history_stays();
CREATE TRIGGER change_feed_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON change_feed EXECUTE FUNCTION history_stays();
CREATE TRIGGER organisation_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON organisation EXECUTE FUNCTION history_stays();
CREATE TRIGGER organisation_version_stays BEFORE DELETE OR TRUNCATE ON organisation_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER organisation_name_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON organisation_name EXECUTE FUNCTION history_stays();
CREATE TRIGGER person_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON person EXECUTE FUNCTION history_stays();
CREATE TRIGGER person_version_stays BEFORE DELETE OR TRUNCATE ON person_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_version_stays BEFORE DELETE OR TRUNCATE ON mandate_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_scope_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_scope EXECUTE FUNCTION history_stays();
CREATE TRIGGER mandate_establishment_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON mandate_establishment EXECUTE FUNCTION history_stays();
CREATE TRIGGER catalogue_version_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON catalogue_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER entry_version_stays BEFORE DELETE OR TRUNCATE ON entry_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER appointment_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON appointment EXECUTE FUNCTION history_stays();
CREATE TRIGGER appointment_version_stays BEFORE DELETE OR TRUNCATE ON appointment_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER credential_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON credential EXECUTE FUNCTION history_stays();
CREATE TRIGGER dismissal_evidence_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON dismissal_evidence EXECUTE FUNCTION history_stays();
CREATE TRIGGER request_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON request EXECUTE FUNCTION history_stays();
CREATE TRIGGER consent_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON consent EXECUTE FUNCTION history_stays();
CREATE TRIGGER step_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON step EXECUTE FUNCTION history_stays();
CREATE TRIGGER evidence_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON evidence EXECUTE FUNCTION history_stays();
CREATE TRIGGER notice_stays BEFORE DELETE OR TRUNCATE ON notice EXECUTE FUNCTION history_stays();
CREATE TRIGGER letter_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON letter EXECUTE FUNCTION history_stays();
CREATE TRIGGER letter_notice_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON letter_notice EXECUTE FUNCTION history_stays();
CREATE TRIGGER letter_version_stays BEFORE DELETE OR TRUNCATE ON letter_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER team_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON team EXECUTE FUNCTION history_stays();
CREATE TRIGGER fee_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON fee EXECUTE FUNCTION history_stays();
CREATE TRIGGER team_version_stays BEFORE DELETE OR TRUNCATE ON team_version EXECUTE FUNCTION history_stays();
CREATE TRIGGER team_member_stays BEFORE DELETE OR TRUNCATE ON team_member EXECUTE FUNCTION history_stays();
CREATE TRIGGER team_client_stays BEFORE DELETE OR TRUNCATE ON team_client EXECUTE FUNCTION history_stays();
