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

-- Where a version of a company is looked for by people: its name from each word to the
-- end, in letters that sort and compare, and its number. Word 0 is the whole name; the
-- number is word -1.
CREATE TABLE organisation_name (
    organisation INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    word         INTEGER NOT NULL CHECK (word >= -1),
    text         TEXT    NOT NULL,
    PRIMARY KEY (organisation, version, word),
    FOREIGN KEY (organisation, version) REFERENCES organisation_version
) STRICT, WITHOUT ROWID;
CREATE INDEX organisation_name_found ON organisation_name (text, organisation, version, word);
CREATE INDEX organisation_name_sorted ON organisation_name (text, organisation, version) WHERE word = 0;

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
    supersedes   INTEGER REFERENCES mandate,                      -- whose place it takes once it is in force
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
CREATE INDEX mandate_held_directly ON mandate (person, represented) WHERE kind = 'direct';
CREATE INDEX mandate_between ON mandate (intermediary, grantor) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_grantor ON mandate (grantor);
CREATE INDEX mandate_by_intermediary ON mandate (intermediary) WHERE intermediary IS NOT NULL;
CREATE INDEX mandate_by_client ON mandate (client) WHERE client IS NOT NULL;
CREATE INDEX mandate_ending ON mandate (valid_to, id);
CREATE INDEX mandate_by_predecessor ON mandate (supersedes) WHERE supersedes IS NOT NULL;

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

-- What changed since a revision, in the order in which it did.
CREATE INDEX mandate_changed ON mandate_version (since, mandate);

-- Those that still wait for somebody's answer: few.
CREATE INDEX mandate_pending ON mandate_version (mandate)
    WHERE until = 9223372036854775807 AND state IN ('draft', 'requested', 'awaiting-signatures', 'awaiting-acceptance');

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

-- What the trade register says of a company.
CREATE TABLE entry_version (
    organisation INTEGER NOT NULL REFERENCES organisation,
    version      INTEGER NOT NULL CHECK (version >= 1),
    since        INTEGER NOT NULL REFERENCES revision,
    until        INTEGER NOT NULL CHECK (until >= since),
    form         TEXT    NOT NULL CHECK (form IN ('', 'sole-proprietorship', 'partnership', 'legal-person', 'public-body')),
    standing     TEXT    NOT NULL CHECK (standing IN ('', 'moratorium', 'bankrupt', 'dissolved', 'deregistered')),
    PRIMARY KEY (organisation, version)
) STRICT, WITHOUT ROWID;

-- Who may manage mandates for whom. Without organisation: the register's own staff. The
-- invitation is the hash of a secret that was handed over once; the account, once it was
-- used, a keyed hash of who logged in.
CREATE TABLE appointment (
    id           INTEGER PRIMARY KEY,
    organisation INTEGER REFERENCES organisation,
    role         TEXT    NOT NULL CHECK (role IN ('administrator', 'director', 'program', 'reader', 'staff')),
    authority    TEXT    NOT NULL CHECK (authority IN ('', 'alone', 'jointly', 'limited')),
    name         TEXT    NOT NULL CHECK (name <> '' AND length(CAST(name AS BLOB)) <= 100),
    level        TEXT    NOT NULL CHECK (level IN ('loa2', 'loa2plus', 'loa3', 'loa4')),
    valid_from   INTEGER NOT NULL CHECK (valid_from % 1000 = 0),
    valid_to     INTEGER NOT NULL CHECK (valid_to % 1000 = 0),
    invitation   BLOB    UNIQUE CHECK (length(invitation) = 32),
    CHECK (valid_from < valid_to),
    CHECK (valid_to - valid_from <= 157856400000),
    CHECK ((role = 'staff') = (organisation IS NULL)),
    CHECK ((role = 'director') = (authority <> ''))
) STRICT;
CREATE INDEX appointment_in ON appointment (organisation, id);
CREATE INDEX appointment_ending ON appointment (valid_to, id);

CREATE TABLE appointment_version (
    appointment INTEGER NOT NULL REFERENCES appointment,
    version     INTEGER NOT NULL CHECK (version >= 1),
    since       INTEGER NOT NULL REFERENCES revision,
    until       INTEGER NOT NULL CHECK (until >= since),
    state       TEXT    NOT NULL CHECK (state IN ('invited', 'appointed', 'dismissed')),
    account     BLOB    CHECK (length(account) = 32),
    email       TEXT    NOT NULL CHECK (length(CAST(email AS BLOB)) <= 254),  -- where its holder wants to be written to; empty: nowhere
    language    TEXT    NOT NULL CHECK (language IN ('', 'nl', 'en')),
    PRIMARY KEY (appointment, version),
    CHECK ((email = '') = (language = ''))
) STRICT, WITHOUT ROWID;
CREATE INDEX appointment_of ON appointment_version (account, appointment) WHERE account IS NOT NULL;

-- With what a program shows who it is: the SHA-256 of a certificate or of a public key.
CREATE TABLE credential (
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32),
    appointment INTEGER NOT NULL REFERENCES appointment,
    public      BLOB    NOT NULL,  -- the key itself, DER
    PRIMARY KEY (fingerprint, appointment)
) STRICT, WITHOUT ROWID;

-- The papers on which it rests that an appointment was ended.
CREATE TABLE dismissal_evidence (
    appointment INTEGER NOT NULL REFERENCES appointment,
    number      INTEGER NOT NULL CHECK (number >= 1),
    kind        TEXT    NOT NULL CHECK (kind IN ('signed-form', 'extract', 'identified', 'resolution', 'notice')),
    sha256      BLOB    CHECK (length(sha256) = 32),  -- NULL: it was seen, and not kept
    dated       INTEGER NOT NULL,
    place       TEXT    NOT NULL CHECK (place <> '' AND length(CAST(place AS BLOB)) <= 255),
    PRIMARY KEY (appointment, number)
) STRICT, WITHOUT ROWID;

-- How a mandate was asked for, if it was.
CREATE TABLE request (
    mandate    INTEGER PRIMARY KEY REFERENCES mandate,
    asked_by   TEXT    NOT NULL CHECK (asked_by IN ('grantor', 'receiver', 'register')),
    offer      INTEGER NOT NULL CHECK (offer IN (0, 1)),  -- 1: the receiver accepts what the grantor gives
    expires    INTEGER NOT NULL,
    hands_over INTEGER REFERENCES mandate  -- the assignment of a colleague that ends once this one is in force
) STRICT;

-- The very text that somebody agreed to.
CREATE TABLE consent (
    sha256   BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    language TEXT NOT NULL CHECK (language IN ('nl', 'en')),
    text     TEXT NOT NULL CHECK (text <> '')
) STRICT, WITHOUT ROWID;

-- Who did what to a mandate, one after the other; also what leaves its state as it was,
-- such as the first of two signatures. Without appointment it was done at the register's
-- own command line, or because time had passed.
CREATE TABLE step (
    mandate     INTEGER NOT NULL REFERENCES mandate,
    number      INTEGER NOT NULL CHECK (number >= 1),
    since       INTEGER NOT NULL REFERENCES revision,
    act         TEXT    NOT NULL CHECK (act IN ('ask', 'agree', 'refuse', 'expire', 'suspend', 'resume', 'revoke', 'narrow', 'lapse')),
    side        TEXT    NOT NULL CHECK (side IN ('grantor', 'receiver', 'register', 'rule')),
    appointment INTEGER REFERENCES appointment,
    consent     BLOB    REFERENCES consent,
    catalogue   INTEGER REFERENCES catalogue_version,  -- that it was read by
    PRIMARY KEY (mandate, number)
) STRICT, WITHOUT ROWID;

-- The papers on which a step rests.
CREATE TABLE evidence (
    mandate INTEGER NOT NULL,
    step    INTEGER NOT NULL,
    number  INTEGER NOT NULL CHECK (number >= 1),
    kind    TEXT    NOT NULL CHECK (kind IN ('signed-form', 'extract', 'identified', 'resolution', 'notice')),
    sha256  BLOB    CHECK (length(sha256) = 32),  -- NULL: it was seen, and not kept
    dated   INTEGER NOT NULL,
    place   TEXT    NOT NULL CHECK (place <> '' AND length(CAST(place AS BLOB)) <= 255),
    PRIMARY KEY (mandate, step, number),
    FOREIGN KEY (mandate, step) REFERENCES step
) STRICT, WITHOUT ROWID;

-- What somebody is to be told, written in the change of which it tells: of a mandate, of an
-- appointment, or of a company. It waits until the change that puts it into letters, or
-- finds that nobody wants one: that is the end of it, `until`.
CREATE TABLE notice (
    id           INTEGER PRIMARY KEY,
    since        INTEGER NOT NULL REFERENCES revision,
    until        INTEGER NOT NULL CHECK (until >= since),
    kind         TEXT    NOT NULL CHECK (kind IN (
        'answer', 'sign', 'asked', 'agreed', 'granted', 'refused', 'recalled', 'unanswered', 'narrowed', 'paused',
        'resumed', 'ended', 'ending', 'unused', 'lapsed', 'appointment-ending', 'unmanaged', 'standing')),
    organisation INTEGER REFERENCES organisation,  -- who is told; NULL: the register's own staff
    mandate      INTEGER REFERENCES mandate,
    appointment  INTEGER REFERENCES appointment,
    company      INTEGER REFERENCES organisation,
    days         INTEGER NOT NULL CHECK (days >= 0),  -- before something ends; else 0
    author       INTEGER REFERENCES appointment,   -- who did it, and need not be told
    at           INTEGER NOT NULL,                 -- when it became so
    once         TEXT    NOT NULL UNIQUE,          -- of what it tells: nobody is told that twice
    CHECK ((mandate IS NULL) OR (appointment IS NULL AND company IS NULL)),
    CHECK ((appointment IS NULL) OR (company IS NULL)),
    CHECK (mandate IS NOT NULL OR appointment IS NOT NULL OR company IS NOT NULL)
) STRICT;
CREATE INDEX notice_waiting ON notice (at, id) WHERE until = 9223372036854775807;
CREATE INDEX notice_waiting_for ON notice (coalesce(organisation, 0), id) WHERE until = 9223372036854775807;
CREATE INDEX notice_of_mandate ON notice (mandate, kind, days) WHERE mandate IS NOT NULL;
CREATE INDEX notice_of_appointment ON notice (appointment, kind, days) WHERE appointment IS NOT NULL;

-- A letter is to the holder of an appointment, and has one or more notices in it. What it
-- says is what was known at the revision in which it was made.
CREATE TABLE letter (
    id          INTEGER PRIMARY KEY,
    since       INTEGER NOT NULL REFERENCES revision,
    appointment INTEGER NOT NULL REFERENCES appointment,
    UNIQUE (id, appointment)
) STRICT;

CREATE TABLE letter_notice (
    letter      INTEGER NOT NULL,
    notice      INTEGER NOT NULL REFERENCES notice,
    appointment INTEGER NOT NULL,
    PRIMARY KEY (letter, notice),
    UNIQUE (notice, appointment),  -- nobody is told twice
    FOREIGN KEY (letter, appointment) REFERENCES letter (id, appointment)
) STRICT, WITHOUT ROWID;

-- What became of a letter. One that is taken is being delivered, and if nobody has heard of
-- it when it is due, it may be taken again.
CREATE TABLE letter_version (
    letter  INTEGER NOT NULL REFERENCES letter,
    version INTEGER NOT NULL CHECK (version >= 1),
    since   INTEGER NOT NULL REFERENCES revision,
    until   INTEGER NOT NULL CHECK (until >= since),
    state   TEXT    NOT NULL CHECK (state IN ('waiting', 'taken', 'sent', 'refused', 'given-up')),
    tries   INTEGER NOT NULL CHECK (tries >= 0),
    due     INTEGER NOT NULL,
    PRIMARY KEY (letter, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX letter_open ON letter_version (due, letter) WHERE until = 9223372036854775807 AND state IN ('waiting', 'taken');

-- Who of an intermediary's employees work for which clients together. What they may do is in
-- their assignments, and nowhere here.
CREATE TABLE team (
    id           INTEGER PRIMARY KEY,
    organisation INTEGER NOT NULL REFERENCES organisation
) STRICT;
CREATE INDEX team_of ON team (organisation);

CREATE TABLE team_version (
    team    INTEGER NOT NULL REFERENCES team,
    version INTEGER NOT NULL CHECK (version >= 1),
    since   INTEGER NOT NULL REFERENCES revision,
    until   INTEGER NOT NULL CHECK (until >= since),
    name    TEXT    NOT NULL CHECK (name <> '' AND length(CAST(name AS BLOB)) <= 100),
    PRIMARY KEY (team, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE team_member (
    team   INTEGER NOT NULL REFERENCES team,
    person INTEGER NOT NULL REFERENCES person,
    since  INTEGER NOT NULL REFERENCES revision,
    until  INTEGER NOT NULL CHECK (until >= since),
    PRIMARY KEY (team, person, since)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX team_member_once ON team_member (person, team) WHERE until = 9223372036854775807;

CREATE TABLE team_client (
    team         INTEGER NOT NULL REFERENCES team,
    organisation INTEGER NOT NULL REFERENCES organisation,
    since        INTEGER NOT NULL REFERENCES revision,
    until        INTEGER NOT NULL CHECK (until >= since),
    PRIMARY KEY (team, organisation, since)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX team_client_once ON team_client (organisation, team) WHERE until = 9223372036854775807;

-- What a company has to pay for a mandate, written when that comes in force. It ends nothing.
CREATE TABLE fee (
    mandate INTEGER PRIMARY KEY REFERENCES mandate,
    since   INTEGER NOT NULL REFERENCES revision,
    cents   INTEGER NOT NULL CHECK (cents > 0)  -- without VAT
) STRICT;

-- The newest revision only ever goes up by one, and revisions are written as it does.

CREATE TRIGGER head_steps BEFORE UPDATE ON head WHEN NEW.revision <> OLD.revision + 1 OR NEW.one <> OLD.one
BEGIN SELECT RAISE(ABORT, 'the revision goes up by one'); END;
CREATE TRIGGER revision_follows BEFORE INSERT ON revision
WHEN NEW.revision <> coalesce((SELECT revision FROM head), 0)
  OR NEW.at < (SELECT at FROM revision WHERE revision = NEW.revision - 1)
BEGIN SELECT RAISE(ABORT, 'a revision follows the one before it, in number and in time'); END;
CREATE TRIGGER change_feed_now BEFORE INSERT ON change_feed WHEN NEW.revision <> (SELECT revision FROM head)
BEGIN SELECT RAISE(ABORT, 'only the newest revision can be written'); END;

-- A version begins at the newest revision, where the version before it ended.

CREATE TRIGGER organisation_version_follows BEFORE INSERT ON organisation_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM organisation_version
     WHERE organisation = NEW.organisation AND version = NEW.version - 1 AND until = NEW.since AND kvk = NEW.kvk)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
CREATE TRIGGER person_version_follows BEFORE INSERT ON person_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM person_version
     WHERE person = NEW.person AND version = NEW.version - 1 AND until = NEW.since
       AND authenticator = NEW.authenticator AND pseudonym = NEW.pseudonym)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
CREATE TRIGGER mandate_version_follows BEFORE INSERT ON mandate_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND version = NEW.version - 1 AND until = NEW.since
       AND state NOT IN ('revoked', 'lapsed-unused', 'superseded', 'rejected', 'withdrawn', 'request-expired'))
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it, and nothing follows an end'); END;
CREATE TRIGGER catalogue_version_follows BEFORE INSERT ON catalogue_version
WHEN NEW.since <> (SELECT revision FROM head) OR NEW.sequence <= (SELECT max(sequence) FROM catalogue_version)
BEGIN SELECT RAISE(ABORT, 'the sequence of the catalogue rises'); END;

CREATE TRIGGER entry_version_follows BEFORE INSERT ON entry_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM entry_version
     WHERE organisation = NEW.organisation AND version = NEW.version - 1 AND until = NEW.since)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
CREATE TRIGGER appointment_version_follows BEFORE INSERT ON appointment_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM appointment_version
     WHERE appointment = NEW.appointment AND version = NEW.version - 1 AND until = NEW.since AND state <> 'dismissed'
       AND (account IS NULL OR account IS NEW.account))
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it, and nothing follows an end'); END;
CREATE TRIGGER step_follows BEFORE INSERT ON step
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.number <> (SELECT coalesce(max(number), 0) + 1 FROM step WHERE mandate = NEW.mandate)
BEGIN SELECT RAISE(ABORT, 'a step follows the one before it'); END;

CREATE TRIGGER notice_follows BEFORE INSERT ON notice
WHEN NEW.since <> (SELECT revision FROM head) OR NEW.until <> 9223372036854775807
  OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM notice)
BEGIN SELECT RAISE(ABORT, 'a notice follows the one before it'); END;
CREATE TRIGGER letter_follows BEFORE INSERT ON letter
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.id <> (SELECT coalesce(max(id), 0) + 1 FROM letter)
BEGIN SELECT RAISE(ABORT, 'a letter follows the one before it'); END;
CREATE TRIGGER letter_version_follows BEFORE INSERT ON letter_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM letter_version
     WHERE letter = NEW.letter AND version = NEW.version - 1 AND until = NEW.since AND tries <= NEW.tries
       AND state NOT IN ('sent', 'refused', 'given-up'))
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it, and nothing follows an end'); END;

CREATE TRIGGER team_version_follows BEFORE INSERT ON team_version
WHEN NEW.since <> (SELECT revision FROM head)
  OR NEW.version > 1 AND NOT EXISTS (SELECT 1 FROM team_version
     WHERE team = NEW.team AND version = NEW.version - 1 AND until = NEW.since)
BEGIN SELECT RAISE(ABORT, 'a version follows the one before it'); END;
CREATE TRIGGER team_member_begins BEFORE INSERT ON team_member
WHEN NEW.since <> (SELECT revision FROM head)
BEGIN SELECT RAISE(ABORT, 'only the newest revision can be written'); END;
CREATE TRIGGER team_client_begins BEFORE INSERT ON team_client
WHEN NEW.since <> (SELECT revision FROM head)
BEGIN SELECT RAISE(ABORT, 'only the newest revision can be written'); END;

-- A chain is never longer than one intermediary: an assignment passes on a chain
-- mandate that its grantor received, on behalf of the company that gave it.

CREATE TRIGGER mandate_assigns BEFORE INSERT ON mandate
WHEN NEW.client IS NOT NULL AND NOT EXISTS (SELECT 1 FROM mandate
     WHERE id = NEW.client AND kind = 'chain' AND intermediary = NEW.grantor AND grantor = NEW.represented)
BEGIN SELECT RAISE(ABORT, 'an assignment passes on a chain mandate of its grantor'); END;

-- What a mandate covers is written in the change that grants it, and not later.

CREATE TRIGGER mandate_scope_fixed BEFORE INSERT ON mandate_scope
WHEN NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND version = 1 AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the scope of a mandate is fixed'); END;
CREATE TRIGGER mandate_establishment_fixed BEFORE INSERT ON mandate_establishment
WHEN NOT EXISTS (SELECT 1 FROM mandate m JOIN mandate_version v ON v.mandate = m.id
     WHERE m.id = NEW.mandate AND m.limited = 1 AND v.version = 1 AND v.since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the establishments of a mandate are fixed'); END;

-- So is how it was asked for, and on which papers a step or a dismissal rests.

CREATE TRIGGER request_fixed BEFORE INSERT ON request
WHEN NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND version = 1 AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'how a mandate was asked for is fixed'); END;
CREATE TRIGGER evidence_fixed BEFORE INSERT ON evidence
WHEN NOT EXISTS (SELECT 1 FROM step
     WHERE mandate = NEW.mandate AND number = NEW.step AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the evidence of a step is fixed'); END;
CREATE TRIGGER credential_fixed BEFORE INSERT ON credential
WHEN NOT EXISTS (SELECT 1 FROM appointment_version
     WHERE appointment = NEW.appointment AND version = 1 AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the credentials of an appointment are fixed'); END;
CREATE TRIGGER dismissal_evidence_fixed BEFORE INSERT ON dismissal_evidence
WHEN NOT EXISTS (SELECT 1 FROM appointment_version
     WHERE appointment = NEW.appointment AND state = 'dismissed' AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the evidence of a dismissal is fixed'); END;

-- So are the names of a version.

CREATE TRIGGER organisation_name_fixed BEFORE INSERT ON organisation_name
WHEN NOT EXISTS (SELECT 1 FROM organisation_version
     WHERE organisation = NEW.organisation AND version = NEW.version AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the names of a version are fixed'); END;

-- So are the notices in a letter.

CREATE TRIGGER letter_notice_fixed BEFORE INSERT ON letter_notice
WHEN NOT EXISTS (SELECT 1 FROM letter WHERE id = NEW.letter AND since = (SELECT revision FROM head))
BEGIN SELECT RAISE(ABORT, 'the notices in a letter are fixed'); END;

-- A fee is written in the change in which its mandate comes in force.

CREATE TRIGGER fee_fixed BEFORE INSERT ON fee
WHEN NEW.since <> (SELECT revision FROM head) OR NOT EXISTS (SELECT 1 FROM mandate_version
     WHERE mandate = NEW.mandate AND since = NEW.since AND state = 'active')
BEGIN SELECT RAISE(ABORT, 'a fee is written when its mandate comes in force'); END;

-- A version ends once, at the newest revision, and nothing else about it changes.

CREATE TRIGGER organisation_version_ends BEFORE UPDATE ON organisation_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.organisation <> OLD.organisation OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.kvk <> OLD.kvk OR NEW.rsin IS NOT OLD.rsin OR NEW.name <> OLD.name
  OR NEW.active <> OLD.active OR NEW.blocked <> OLD.blocked
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER person_version_ends BEFORE UPDATE ON person_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.person <> OLD.person OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.authenticator <> OLD.authenticator OR NEW.pseudonym <> OLD.pseudonym
  OR NEW.name <> OLD.name OR NEW.active <> OLD.active OR NEW.blocked <> OLD.blocked
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_version_ends BEFORE UPDATE ON mandate_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.mandate <> OLD.mandate OR NEW.version <> OLD.version OR NEW.since <> OLD.since OR NEW.state <> OLD.state
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER entry_version_ends BEFORE UPDATE ON entry_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.organisation <> OLD.organisation OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.form <> OLD.form OR NEW.standing <> OLD.standing
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER appointment_version_ends BEFORE UPDATE ON appointment_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.appointment <> OLD.appointment OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.state <> OLD.state OR NEW.account IS NOT OLD.account OR NEW.email <> OLD.email OR NEW.language <> OLD.language
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER notice_ends BEFORE UPDATE ON notice
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.id <> OLD.id OR NEW.since <> OLD.since OR NEW.kind <> OLD.kind OR NEW.organisation IS NOT OLD.organisation
  OR NEW.mandate IS NOT OLD.mandate OR NEW.appointment IS NOT OLD.appointment OR NEW.company IS NOT OLD.company
  OR NEW.days <> OLD.days OR NEW.author IS NOT OLD.author OR NEW.at <> OLD.at OR NEW.once <> OLD.once
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_version_ends BEFORE UPDATE ON letter_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.letter <> OLD.letter OR NEW.version <> OLD.version OR NEW.since <> OLD.since
  OR NEW.state <> OLD.state OR NEW.tries <> OLD.tries OR NEW.due <> OLD.due
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_version_ends BEFORE UPDATE ON team_version
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.team <> OLD.team OR NEW.version <> OLD.version OR NEW.since <> OLD.since OR NEW.name <> OLD.name
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_member_ends BEFORE UPDATE ON team_member
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.team <> OLD.team OR NEW.person <> OLD.person OR NEW.since <> OLD.since
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_client_ends BEFORE UPDATE ON team_client
WHEN OLD.until <> 9223372036854775807 OR NEW.until <> (SELECT revision FROM head)
  OR NEW.team <> OLD.team OR NEW.organisation <> OLD.organisation OR NEW.since <> OLD.since
BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;

-- Everything else is never updated, and nothing at all is deleted.

CREATE TRIGGER register_kept BEFORE UPDATE ON register BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER register_stays BEFORE DELETE ON register BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER head_stays BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER revision_kept BEFORE UPDATE ON revision BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER revision_stays BEFORE DELETE ON revision BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER change_feed_kept BEFORE UPDATE ON change_feed BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER change_feed_stays BEFORE DELETE ON change_feed BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER organisation_kept BEFORE UPDATE ON organisation BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER organisation_stays BEFORE DELETE ON organisation BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER organisation_version_stays BEFORE DELETE ON organisation_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER organisation_name_kept BEFORE UPDATE ON organisation_name BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER organisation_name_stays BEFORE DELETE ON organisation_name BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER person_kept BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER person_stays BEFORE DELETE ON person BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER person_version_stays BEFORE DELETE ON person_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_kept BEFORE UPDATE ON mandate BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_stays BEFORE DELETE ON mandate BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_version_stays BEFORE DELETE ON mandate_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_scope_kept BEFORE UPDATE ON mandate_scope BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_scope_stays BEFORE DELETE ON mandate_scope BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_establishment_kept BEFORE UPDATE ON mandate_establishment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER mandate_establishment_stays BEFORE DELETE ON mandate_establishment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER catalogue_version_kept BEFORE UPDATE ON catalogue_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER catalogue_version_stays BEFORE DELETE ON catalogue_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER entry_version_stays BEFORE DELETE ON entry_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER appointment_kept BEFORE UPDATE ON appointment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER appointment_stays BEFORE DELETE ON appointment BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER appointment_version_stays BEFORE DELETE ON appointment_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER credential_kept BEFORE UPDATE ON credential BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER credential_stays BEFORE DELETE ON credential BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER dismissal_evidence_kept BEFORE UPDATE ON dismissal_evidence BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER dismissal_evidence_stays BEFORE DELETE ON dismissal_evidence BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER request_kept BEFORE UPDATE ON request BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER request_stays BEFORE DELETE ON request BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER consent_kept BEFORE UPDATE ON consent BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER consent_stays BEFORE DELETE ON consent BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER step_kept BEFORE UPDATE ON step BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER step_stays BEFORE DELETE ON step BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER evidence_kept BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER evidence_stays BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER notice_stays BEFORE DELETE ON notice BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_kept BEFORE UPDATE ON letter BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_stays BEFORE DELETE ON letter BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_notice_kept BEFORE UPDATE ON letter_notice BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_notice_stays BEFORE DELETE ON letter_notice BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER letter_version_stays BEFORE DELETE ON letter_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_kept BEFORE UPDATE ON team BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER fee_kept BEFORE UPDATE ON fee BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_stays BEFORE DELETE ON team BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_version_stays BEFORE DELETE ON team_version BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_member_stays BEFORE DELETE ON team_member BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER team_client_stays BEFORE DELETE ON team_client BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
CREATE TRIGGER fee_stays BEFORE DELETE ON fee BEGIN SELECT RAISE(ABORT, 'history cannot be changed'); END;
