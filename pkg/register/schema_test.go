package register

import (
	"database/sql"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/mandated/mandated/internal/postgres"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// raw opens a register as anybody with the shell of its database would.
func raw(t *testing.T, place string) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+place+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)"
	if postgres.IsPlace(place) {
		driver, source = "pgx", place
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// onBothLived plays on a register with something in every table.
func onBothLived(t *testing.T, play func(*testing.T, *sql.DB)) {
	t.Helper()
	onBoth(t, func(t *testing.T, s *scene) {
		b, a, g := s.org(1), s.org(2), s.person(1)
		limited := direct(b, g)
		limited.Establishments = append(limited.Establishments, branch(1))
		s.grant(limited) // mandate 1
		var c mandate.Mandate
		s.change(func(t *Tx) { c = paid(t, chain(b, a)) }) // mandate 2
		s.grant(assignment(c, g))                          // mandate 3
		s.setState(1, mandate.Revoked)                     // its second version
		s.change(func(t *Tx) { put(t, edition(1)) })       // catalogue 1
		s.change(func(t *Tx) { must(t.PutPerson(human(2))) })
		s.change(func(t *Tx) { everywhere(t, b, a) }) // mandate 4, appointments 1 to 3
		s.change(func(t *Tx) {
			must(t.Dismiss(3, []mandate.Evidence{{Kind: mandate.Notice, Dated: noon, Where: "archive"}}))
		})
		s.change(func(t *Tx) { told(t, a) }) // notices 1 and 2, letter 1
		db := raw(t, s.place)
		db.SetMaxOpenConns(1)
		play(t, db)
	})
}

// paid grants a mandate that costs something.
func paid(t *Tx, m mandate.Mandate) mandate.Mandate {
	m = must(t.Grant(m, GrantOptions{}))
	if err := t.AddFee(m.ID, 2000); err != nil {
		panic(err)
	}
	return m
}

// everywhere writes in the tables of those who manage mandates.
func everywhere(t *Tx, b, a mandate.Organisation) {
	if err := t.PutEntry(b.ID, mandate.Entry{Form: mandate.LegalPerson}); err != nil {
		panic(err)
	}
	year := mandate.Validity{From: noon, To: noon.AddDate(1, 0, 0)}
	must(t.Appoint(mandate.Appointment{Organisation: b, Role: mandate.Administrator, Name: "Anna", Level: etoegang.LoA3, Validity: year}, Digest{1}, nil))
	must(t.Appoint(mandate.Appointment{Organisation: a, Role: mandate.Program, Name: "ledger", Level: etoegang.LoA3, Validity: year}, Digest{}, []Credential{{Digest{2}, []byte("key")}}))
	must(t.Appoint(mandate.Appointment{Role: mandate.Staff, Name: "Bert", Level: etoegang.LoA3, Validity: year}, Digest{3}, nil))
	team := must(t.PutTeam(mandate.Team{Organisation: a, Name: "VAT"}))
	must(t.AddMember(team.ID, 1))
	must(t.AddClient(team.ID, b.ID))
	asked := chain(b, a)
	asked.Validity.From, asked.Validity.To = asked.Validity.To, asked.Validity.To.AddDate(1, 0, 0)
	asked.State = mandate.Requested
	asked = must(t.Grant(asked, GrantOptions{Request: &Asked{By: mandate.ReceiverSide, Expires: noon}}))
	if err := t.AddStep(asked.ID, Step{Act: mandate.ActAsk, Side: mandate.ReceiverSide, Appointment: 2, Catalogue: 1, Consent: Consent{"nl", "ja"},
		Evidence: []mandate.Evidence{{Kind: mandate.SignedForm, Dated: noon, Where: "archive"}}}); err != nil {
		panic(err)
	}
}

// told writes in the tables of notices: one is in a letter, and one waits.
func told(t *Tx, a mandate.Organisation) {
	for _, once := range []string{"first", "second"} {
		must(t.AddNotice(Notice{News: mandate.NewsAsked, To: a.ID, Mandate: 4, Author: 2, Once: once}))
	}
	must(t.WriteLetter(1, []NoticeID{1}))
	if err := t.EndNotices([]NoticeID{1}); err != nil {
		panic(err)
	}
}

// columns gives every table of the register and its columns, but those of its migrations.
func columns(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	query := `SELECT s.name, c.name FROM sqlite_schema s JOIN pragma_table_info(s.name) c WHERE s.type = 'table' AND s.name NOT LIKE 'sqlite_%'`
	if onServer(db) {
		query = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()`
	}
	rows, err := db.Query(query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		if err := rows.Scan(&table, &column); err != nil {
			t.Fatal(err)
		}
		if table != "goose_db_version" && table != schemaTable {
			all[table] = append(all[table], column)
		}
	}
	return all
}

// onServer tells whether db is PostgreSQL.
func onServer(db *sql.DB) bool {
	_, err := db.Exec(`SELECT pg_backend_pid()`)
	return err == nil
}

// Whoever writes SQL past this package cannot rewrite history either.
func TestTheDatabaseRefusesToForget(t *testing.T) {
	onBothLived(t, func(t *testing.T, db *sql.DB) {
		tables := columns(t, db)
		if len(tables) != 32 {
			t.Errorf("there are %d tables: %v", len(tables), tables)
		}
		for table, names := range tables {
			for _, statement := range []string{`DELETE FROM `, `TRUNCATE TABLE `, `TRUNCATE TABLE ONLY `} {
				if _, err := db.Exec(statement + table); err == nil {
					t.Errorf("%s%s is accepted", statement, table)
				}
			}
			for _, name := range names {
				if _, err := db.Exec(`UPDATE ` + table + ` SET ` + name + ` = ` + name); err == nil {
					t.Errorf("%s.%s can be updated", table, name)
				}
			}
		}
		if onServer(db) {
			if _, err := db.Exec(`TRUNCATE TABLE revision CASCADE`); err == nil {
				t.Error("everything can be truncated at once")
			}
		}
		// Each column that a version is made of is kept, also when the version ends.
		for _, table := range []string{"organisation_version", "person_version", "mandate_version", "entry_version", "appointment_version", "notice", "letter_version",
			"team_version", "team_member", "team_client"} {
			for _, name := range tables[table] {
				if name == "until" {
					continue
				}
				other := map[string]string{"active": "NOT active", "blocked": "NOT blocked", "state": "'suspended'", "rsin": "'123456782'",
					"kvk": "'00000009'", "authenticator": "'urn:etoegang:AD:x'", "pseudonym": "'" + strings.Repeat("9", 64) + "'", "name": "'x'",
					"form": "'partnership'", "standing": "'bankrupt'", "account": "randomblob(32)", "email": "'x@y.example'", "language": "'nl'",
					"kind": "'granted'", "once": "'x'"}[name]
				if name == "state" && table != "mandate_version" {
					other = map[string]string{"appointment_version": "'dismissed'", "letter_version": "'taken'"}[table]
				}
				if other == "" {
					other = "coalesce(" + name + ", 0) + 1"
				}
				_, err := db.Exec(spoken(db, `BEGIN; UPDATE head SET revision = revision + 1; UPDATE `+table+` SET until = (SELECT revision FROM head), `+
					name+` = `+other+` WHERE until = 9223372036854775807; ROLLBACK`))
				if err == nil || !strings.Contains(err.Error(), "history cannot be changed") {
					t.Errorf("%s.%s can be changed as its version ends (%v)", table, name, err)
				}
				_, _ = db.Exec(`ROLLBACK`)
			}
		}
	})
}

// spoken puts random bytes in the words of PostgreSQL.
func spoken(db *sql.DB, statement string) string {
	if !onServer(db) {
		return statement
	}
	return strings.NewReplacer("randomblob(16)", `decode(md5(random()::text), 'hex')`, "randomblob(32)", `sha256('x')`,
		"randomblob(7)", `'\x01020304050607'::bytea`).Replace(statement)
}

// The database holds every invariant that it can: each line is nonsense that our own
// code would never write.
func TestTheDatabaseRefusesNonsense(t *testing.T) {
	onBothLived(t, func(t *testing.T, db *sql.DB) {
		accepted := func(statement string) error {
			_, err := db.Exec(spoken(db, statement))
			_, _ = db.Exec(`ROLLBACK`)
			return err
		}
		const next = `BEGIN; UPDATE head SET revision = revision + 1;
			INSERT INTO revision SELECT revision, randomblob(16), 9000000000000, 'x', 'y' FROM head; `
		if err := accepted(next + `COMMIT`); err != nil {
			t.Fatalf("sense is refused: %v", err)
		}
		const other = `BEGIN; INSERT INTO organisation (id) VALUES (9);
			INSERT INTO organisation_version VALUES (9, 1, (SELECT revision FROM head), 9223372036854775807, `
		const someone = `BEGIN; INSERT INTO person (id) VALUES (9);
			INSERT INTO person_version VALUES (9, 1, (SELECT revision FROM head), 9223372036854775807, `
		const granted = `INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, register, limited, valid_from, valid_to, reference) VALUES `
		const inOne = `BEGIN; ` + granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '');
			INSERT INTO mandate_version SELECT 9, 1, revision, 9223372036854775807, 'active' FROM head; `
		const appointed = `INSERT INTO appointment (id, organisation, role, authority, name, level, valid_from, valid_to, invitation) VALUES `
		const noticed = `(id, since, until, kind, organisation, mandate, appointment, company, days, author, at, once)
			SELECT 3, revision, 9223372036854775807, `
		long := strings.Repeat("x", 256)
		for _, sense := range []string{
			other + `'12345678', NULL, '', TRUE, FALSE); ROLLBACK`,
			someone + `'urn:etoegang:AD:x', '` + strings.Repeat("0f", 32) + `', '', TRUE, FALSE); ROLLBACK`,
			`BEGIN; ` + granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '` + long[1:] + `'); ROLLBACK`,
			`BEGIN; ` + granted + `(9, 'chain', 1, 1, NULL, 2, NULL, 'urn:etoegang:MR:x', FALSE, 0, 1000, ''); ROLLBACK`,
			`BEGIN; ` + granted + `(9, 'assignment', 2, 1, 1, NULL, 2, NULL, FALSE, 0, 1000, ''); ROLLBACK`,
			inOne + `INSERT INTO mandate_scope VALUES (9, '', '', 'loa3'); INSERT INTO fee SELECT 9, revision, 2000 FROM head; ROLLBACK`,
			next + `UPDATE organisation_version SET until = (SELECT revision FROM head) WHERE organisation = 1;
				INSERT INTO organisation_version SELECT 1, 2, revision, 9223372036854775807, '00000001', NULL, '', TRUE, TRUE FROM head; ROLLBACK`,
			next + `UPDATE mandate_version SET until = (SELECT revision FROM head) WHERE mandate = 2;
				INSERT INTO mandate_version SELECT 2, 2, revision, 9223372036854775807, 'suspended' FROM head; ROLLBACK`,
			`BEGIN; INSERT INTO catalogue_version SELECT 2, revision, '', 0, randomblob(32), '', 0, randomblob(16) FROM head; ROLLBACK`,
			`BEGIN; INSERT INTO change_feed SELECT revision, randomblob(16) FROM head; ROLLBACK`,
			`BEGIN; INSERT INTO entry_version SELECT 2, 1, revision, 9223372036854775807, '', 'bankrupt' FROM head; ROLLBACK`,
			`BEGIN; INSERT INTO team_member SELECT 1, 2, revision, 9223372036854775807 FROM head; ROLLBACK`,
			next + `UPDATE team_version SET until = (SELECT revision FROM head); INSERT INTO team_version SELECT 1, 2, revision, 9223372036854775807, 'x' FROM head; ROLLBACK`,
			`BEGIN; ` + appointed + `(9, 1, 'reader', '', 'x', 'loa3', 0, 1000, NULL); ROLLBACK`,
			`BEGIN; INSERT INTO notice ` + noticed + `'ending', NULL, NULL, 1, NULL, 7, NULL, 0, 'third' FROM head; ROLLBACK`,
			next + `UPDATE notice SET until = (SELECT revision FROM head) WHERE id = 2; ROLLBACK`,
			`BEGIN; INSERT INTO letter SELECT 2, revision, 1 FROM head; INSERT INTO letter_notice VALUES (2, 2, 1);
				INSERT INTO letter_version SELECT 2, 1, revision, 9223372036854775807, 'waiting', 0, 0 FROM head; ROLLBACK`,
			`BEGIN; INSERT INTO step SELECT 4, 2, revision, 'agree', 'grantor', NULL, NULL, NULL FROM head;
				INSERT INTO evidence VALUES (4, 2, 1, 'notice', NULL, 0, 'x'); ROLLBACK`,
		} {
			if err := accepted(sense); err != nil {
				t.Fatalf("sense is refused: %v in %s", err, sense)
			}
		}
		for why, statement := range map[string]string{
			"a second row of settings":            `INSERT INTO register VALUES (2, 'urn:etoegang:MR:x', 1, randomblob(32), 0)`,
			"a jump of revisions":                 `UPDATE head SET revision = revision + 2`,
			"a head without its revision":         `BEGIN; UPDATE head SET revision = revision + 1; COMMIT`,
			"a revision of long ago":              `INSERT INTO revision VALUES (-1, randomblob(16), 0, 'x', 'y')`,
			"a revision again":                    `INSERT INTO revision VALUES (1, randomblob(16), 9000000000001, 'x', 'y') ON CONFLICT (revision) DO UPDATE SET who = 'z'`,
			"a revision that turns back time":     `BEGIN; UPDATE head SET revision = revision + 1; INSERT INTO revision SELECT revision, randomblob(16), 1, 'x', 'y' FROM head; COMMIT`,
			"a revision without author":           `BEGIN; UPDATE head SET revision = revision + 1; INSERT INTO revision SELECT revision, randomblob(16), 9000000000001, '', 'y' FROM head; COMMIT`,
			"a line about an older revision":      `INSERT INTO change_feed VALUES (1, randomblob(16))`,
			"a party of seven bytes":              `INSERT INTO change_feed SELECT revision, randomblob(7) FROM head`,
			"a KvK number of seven digits":        other + `'1234567', NULL, '', TRUE, FALSE); COMMIT`,
			"a KvK number with a letter":          other + `'1234567a', NULL, '', TRUE, FALSE); COMMIT`,
			"an RSIN with a line end":             other + `'22345678', '12345678' || chr(10), '', TRUE, FALSE); COMMIT`,
			"the same company twice":              other + `'00000001', NULL, '', TRUE, FALSE); COMMIT`,
			"the same person twice":               someone + `(SELECT authenticator FROM person_version WHERE person = 1), (SELECT pseudonym FROM person_version WHERE person = 1), '', TRUE, FALSE); COMMIT`,
			"a short pseudonym":                   someone + `'urn:etoegang:AD:x', 'abc', '', TRUE, FALSE); COMMIT`,
			"a version in the past":               `INSERT INTO organisation_version VALUES (1, 2, 1, 9223372036854775807, '00000001', NULL, '', TRUE, FALSE)`,
			"a second current version":            `INSERT INTO organisation_version SELECT 1, 2, revision, 9223372036854775807, '00000001', NULL, '', TRUE, FALSE FROM head`,
			"a version of nobody":                 `INSERT INTO organisation_version SELECT 99, 1, revision, 9223372036854775807, '33333333', NULL, '', TRUE, FALSE FROM head`,
			"a person's second current version":   `INSERT INTO person_version SELECT 1, 2, revision, 9223372036854775807, authenticator, pseudonym, '', TRUE, FALSE FROM head, person_version WHERE person = 1`,
			"neither blocked nor not":             other + `'44444444', NULL, '', TRUE, NULL); COMMIT`,
			"another number for a company":        next + `UPDATE organisation_version SET until = (SELECT revision FROM head) WHERE organisation = 1; INSERT INTO organisation_version SELECT 1, 2, revision, 9223372036854775807, '00000099', NULL, '', TRUE, FALSE FROM head; COMMIT`,
			"ending a version in the past":        `UPDATE organisation_version SET until = 3 WHERE organisation = 1`,
			"a state after the end":               next + `UPDATE mandate_version SET until = (SELECT revision FROM head) WHERE mandate = 1 AND version = 2; INSERT INTO mandate_version SELECT 1, 3, revision, 9223372036854775807, 'active' FROM head; COMMIT`,
			"an unknown state":                    next + `UPDATE mandate_version SET until = (SELECT revision FROM head) WHERE mandate = 3; INSERT INTO mandate_version SELECT 3, 2, revision, 9223372036854775807, 'lost' FROM head; COMMIT`,
			"an unknown kind":                     granted + `(9, 'gift', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '')`,
			"a direct mandate to a company":       granted + `(9, 'direct', 1, 1, NULL, 2, NULL, NULL, FALSE, 0, 1000, '')`,
			"a direct mandate for another":        granted + `(9, 'direct', 1, 2, 1, NULL, NULL, NULL, FALSE, 0, 1000, '')`,
			"a chain to a person":                 granted + `(9, 'chain', 1, 1, 1, 2, NULL, NULL, FALSE, 0, 1000, '')`,
			"a chain to oneself":                  granted + `(9, 'chain', 1, 1, NULL, 1, NULL, NULL, FALSE, 0, 1000, '')`,
			"a chain limited to a branch":         granted + `(9, 'chain', 1, 1, NULL, 2, NULL, NULL, TRUE, 0, 1000, '')`,
			"an assignment without client":        granted + `(9, 'assignment', 2, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '')`,
			"an assignment of a direct mandate":   granted + `(9, 'assignment', 2, 1, 1, NULL, 1, NULL, FALSE, 0, 1000, '')`,
			"an assignment of an assignment":      granted + `(9, 'assignment', 2, 1, 1, NULL, 3, NULL, FALSE, 0, 1000, '')`,
			"an assignment of another's client":   granted + `(9, 'assignment', 1, 2, 1, NULL, 2, NULL, FALSE, 0, 1000, '')`,
			"a mandate of nobody":                 granted + `(9, 'direct', 99, 99, 1, NULL, NULL, NULL, FALSE, 0, 1000, '')`,
			"a mandate that ends when it begins":  granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 1000, 1000, '')`,
			"a mandate for a lifetime":            granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 999999999000, '')`,
			"half a second":                       granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 500, 1000, '')`,
			"a long reference":                    granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '` + long + `')`,
			"a wider scope afterwards":            `INSERT INTO mandate_scope VALUES (1, '11111111-2222-3333-4444-555555555555', '', 'loa3')`,
			"a branch afterwards":                 `INSERT INTO mandate_establishment VALUES (1, '000000000009')`,
			"an older catalogue":                  `INSERT INTO catalogue_version SELECT 1, revision, '', 0, randomblob(32), '', 0, randomblob(16) FROM head`,
			"text where a number belongs":         granted + `('x', 'direct', 1, 1, 1, NULL, NULL, NULL, FALSE, 0, 1000, '')`,
			"loa1":                                inOne + `INSERT INTO mandate_scope VALUES (9, '', '', 'loa1'); COMMIT`,
			"a service and a provider":            inOne + `INSERT INTO mandate_scope VALUES (9, '11111111-2222-3333-4444-555555555555', '00000003520354760000', 'loa3'); COMMIT`,
			"the same item twice":                 inOne + `INSERT INTO mandate_scope VALUES (9, '', '', 'loa2'), (9, '', '', 'loa3'); COMMIT`,
			"an entry of long ago":                `INSERT INTO entry_version VALUES (2, 1, 1, 9223372036854775807, '', '')`,
			"an unknown standing":                 `INSERT INTO entry_version SELECT 2, 1, revision, 9223372036854775807, '', 'rich' FROM head`,
			"a nameless team":                     next + `UPDATE team_version SET until = (SELECT revision FROM head); INSERT INTO team_version SELECT 1, 2, revision, 9223372036854775807, '' FROM head; COMMIT`,
			"a team's second current name":        `INSERT INTO team_version SELECT 1, 2, revision, 9223372036854775807, 'x' FROM head`,
			"a member of long ago":                `INSERT INTO team_member VALUES (1, 2, 1, 9223372036854775807)`,
			"a member twice":                      `INSERT INTO team_member SELECT 1, 1, revision, 9223372036854775807 FROM head`,
			"a client of long ago":                `INSERT INTO team_client VALUES (1, 2, 1, 9223372036854775807)`,
			"a fee for what came in force before": `INSERT INTO fee SELECT 3, revision, 1 FROM head`,
			"a fee for what is asked for":         `INSERT INTO fee SELECT 4, revision, 1 FROM head`,
			"a fee in the past":                   `INSERT INTO fee VALUES (3, (SELECT since FROM mandate_version WHERE mandate = 3), 1)`,
			"money back":                          inOne + `INSERT INTO fee SELECT 9, revision, -1 FROM head; COMMIT`,
			"an administrator of nobody":          appointed + `(9, NULL, 'administrator', '', 'x', 'loa3', 0, 1000, NULL)`,
			"staff of a company":                  appointed + `(9, 1, 'staff', '', 'x', 'loa3', 0, 1000, NULL)`,
			"a director without authority":        appointed + `(9, 1, 'director', '', 'x', 'loa3', 0, 1000, NULL)`,
			"an appointment for a lifetime":       appointed + `(9, 1, 'reader', '', 'x', 'loa3', 0, 999999999000, NULL)`,
			"an appointment without a name":       appointed + `(9, 1, 'reader', '', '', 'loa3', 0, 1000, NULL)`,
			"an appointment that comes back":      next + `UPDATE appointment_version SET until = (SELECT revision FROM head) WHERE appointment = 3; INSERT INTO appointment_version SELECT 3, 3, revision, 9223372036854775807, 'appointed', NULL, '', '' FROM head; COMMIT`,
			"another key afterwards":              `INSERT INTO credential VALUES (randomblob(32), 2, randomblob(16))`,
			"a request afterwards":                `INSERT INTO request VALUES (1, 'receiver', FALSE, 0, NULL)`,
			"a step of nobody's side":             `INSERT INTO step SELECT 4, 2, revision, 'agree', 'nobody', NULL, NULL, NULL FROM head`,
			"a step in the past":                  `INSERT INTO step VALUES (4, 2, 1, 'agree', 'grantor', NULL, NULL, NULL)`,
			"a step that leaps":                   `INSERT INTO step SELECT 4, 3, revision, 'agree', 'grantor', NULL, NULL, NULL FROM head`,
			"evidence afterwards":                 next + `INSERT INTO evidence VALUES (4, 1, 2, 'notice', NULL, 0, 'x'); COMMIT`,
			"evidence of a dismissal afterwards":  next + `INSERT INTO dismissal_evidence VALUES (3, 2, 'notice', NULL, 0, 'x'); COMMIT`,
			"evidence of no dismissal":            next + `INSERT INTO dismissal_evidence VALUES (1, 1, 'notice', NULL, 0, 'x'); COMMIT`,
			"a consent that is empty":             `INSERT INTO consent VALUES (randomblob(32), 'nl', '')`,
			"a notice of nothing":                 `INSERT INTO notice ` + noticed + `'ending', 1, NULL, NULL, NULL, 7, NULL, 0, 'x' FROM head`,
			"a notice of two things":              `INSERT INTO notice ` + noticed + `'ending', 1, 1, 1, NULL, 7, NULL, 0, 'x' FROM head`,
			"a notice of something unknown":       `INSERT INTO notice ` + noticed + `'gossip', 1, 1, NULL, NULL, 7, NULL, 0, 'x' FROM head`,
			"the same notice twice":               `INSERT INTO notice ` + noticed + `'ending', 1, 1, NULL, NULL, 7, NULL, 0, 'second' FROM head`,
			"a notice that leaps":                 strings.Replace(`INSERT INTO notice `+noticed+`'ending', 1, 1, NULL, NULL, 7, NULL, 0, 'x' FROM head`, "SELECT 3", "SELECT 4", 1),
			"a notice that waits again":           next + `UPDATE notice SET until = (SELECT revision FROM head) WHERE id = 1; COMMIT`,
			"a letter of long ago":                `INSERT INTO letter VALUES (2, 1, 1)`,
			"another notice in a letter":          next + `INSERT INTO letter_notice VALUES (1, 2, 1); COMMIT`,
			"the same notice in two letters":      `BEGIN; INSERT INTO letter SELECT 2, revision, 1 FROM head; INSERT INTO letter_notice VALUES (2, 1, 1); COMMIT`,
			"a notice in another's letter":        `BEGIN; INSERT INTO letter SELECT 2, revision, 1 FROM head; INSERT INTO letter_notice VALUES (2, 2, 2); COMMIT`,
			"a letter that was sent and waits": next + `UPDATE letter_version SET until = (SELECT revision FROM head) WHERE letter = 1;
				INSERT INTO letter_version SELECT 1, 2, revision, revision, 'sent', 1, 0 FROM head;
				INSERT INTO letter_version SELECT 1, 3, revision, 9223372036854775807, 'waiting', 1, 0 FROM head; COMMIT`,
			"a letter tried less often":     next + `UPDATE letter_version SET until = (SELECT revision FROM head) WHERE letter = 1; INSERT INTO letter_version SELECT 1, 2, revision, 9223372036854775807, 'waiting', -1, 0 FROM head; COMMIT`,
			"a language without address":    next + `UPDATE appointment_version SET until = (SELECT revision FROM head) WHERE appointment = 1; INSERT INTO appointment_version SELECT 1, 2, revision, 9223372036854775807, 'invited', NULL, '', 'nl' FROM head; COMMIT`,
			"branches of what has no limit": inOne + `INSERT INTO mandate_establishment VALUES (9, '000000000009'); COMMIT`,
		} {
			if err := accepted(statement); err == nil {
				t.Errorf("%s is accepted", why)
			}
		}
		if !onServer(db) {
			if err := accepted(`INSERT OR REPLACE INTO revision VALUES (1, randomblob(16), 9000000000001, 'x', 'y')`); err == nil {
				t.Error("a revision is replaced")
			}
		}
	})
}

// Both schemas name the same states as package mandate does, and so do the statements about what
// waits: written as the index over it is, or they would not use it.
func TestTheSchemaKnowsTheStates(t *testing.T) {
	for _, dialect := range []string{"sqlite", "postgres"} {
		text := string(must(folders.ReadFile("schema/" + dialect + "/00001_register.sql")))
		if !strings.Contains(text, "state IN ("+pending+");") {
			t.Errorf("the index for %s is not over %s", dialect, pending)
		}
		for _, state := range []mandate.State{mandate.Draft, mandate.Requested, mandate.AwaitingSignatures, mandate.AwaitingAcceptance,
			mandate.Active, mandate.Suspended, mandate.Revoked, mandate.LapsedUnused, mandate.Superseded, mandate.Rejected,
			mandate.Withdrawn, mandate.RequestExpired} {
			want := 1
			if state != mandate.Suspended {
				want = 2 // and where nothing may follow it, somebody's answer is awaited, or a fee becomes due
			}
			if got := strings.Count(text, "'"+string(state)+"'"); got != want {
				t.Errorf("%s stands in the schema for %s %d times, not %d", state, dialect, got, want)
			}
			if strings.Contains(pending, "'"+string(state)+"'") != state.Pending() {
				t.Errorf("whether %s waits is not told as package mandate does", state)
			}
		}
	}
}

// No question of a decision or an import walks a table: at a million mandates that is
// the difference between microseconds and seconds. Nor does it in a register that was empty a
// moment ago and now has many companies, of which no statistics are known.
func TestNothingWalksATable(t *testing.T) {
	onBoth(t, func(t *testing.T, s *scene) {
		s.change(func(t *Tx) {
			for n := range 20_000 {
				must(t.PutOrganisation(company(n + 1)))
			}
		})
		sorted, _ := Seeking{Kind: mandate.Assignment, Search: "x"}.query(1, true)
		followed, _ := Seeking{Kind: mandate.Assignment, Search: "x"}.query(1, false)
		its, _ := Seeking{Intermediary: 1, Search: "x"}.query(1, true)
		theirs, _ := Seeking{Intermediary: 1}.query(1, false)
		ends := Ending{time.UnixMilli(1), time.UnixMilli(2)}
		ending, _ := Seeking{Intermediary: 1, Ending: ends, Search: "x"}.query(1, true)
		itsThen, _ := Seeking{Intermediary: 1, earlier: true}.query(1, true)
		theirsThen, _ := Seeking{Intermediary: 1, Search: "x", earlier: true}.query(1, false)
		anybody, _ := Seeking{Everybody: true, Search: "x"}.query(1, false)
		alphabet, _ := Seeking{Kind: mandate.Direct}.query(1, false)
		session := must(s.readers.take(ctx, s.readers.slots))
		defer s.readers.give(session, s.readers.slots)
		if err := session.connect(ctx); err != nil {
			t.Fatal(err)
		}
		page, _ := Filter{Organisation: 1}.page(0, 10)
		all, _ := Filter{Organisation: 1, Person: 1, Kind: mandate.Direct, State: mandate.Active}.page(0, 10)
		waiting, _ := Filter{Pending: true, AskedBy: mandate.RegisterSide}.page(0, 10)
		clients, _ := Relations{}.page(1, nil, 0, 10)
		client, _ := Relations{Service: tax}.page(1, &mandate.Organisation{ID: 2}, 0, 10)
		for why, query := range map[string]string{
			"few to choose from":         sorted,
			"many to choose from":        followed,
			"an intermediary's few":      its,
			"an intermediary's many":     theirs,
			"how many clients":           countClients,
			"an intermediary's few then": itsThen,
			"its many then":              theirsThen,
			"the alphabet":               alphabet,
			"what ends":                  ending,
			"whoever is looked for":      anybody,
			"held first":                 selectMandates[grantorOnly] + `m.person = ?2 AND m.represented` + theFirst(1).condition + byHolder,
			"held for some companies":    selectMandates[grantorOnly] + `m.person = ?2 AND m.represented` + among([]mandate.OrganisationID{1, 2, 3}).condition + byHolder,
			"a page of clients":          selectChosen(grantorOnly, clients) + byID,
			"a client, for a service":    selectChosen(grantorOnly, client) + byID,
			"held by a person":           selectMandates[grantorOnly] + `m.person = ?2` + byHolder,
			"held for one company":       selectMandates[grantorOnly] + `m.person = ?2 AND m.represented = ?3` + byHolder,
			"chains passed on":           selectMandates[grantorOnly] + twoByID,
			"many chains passed on":      selectChosen(grantorOnly, everyClient) + byID,
			"between two companies":      selectMandates[noParties] + `m.grantor = ?2 AND m.intermediary = ?3` + byID,
			"one mandate":                selectMandates[allParties] + `m.id = ?2` + byID,
			"the assignments of one":     selectMandates[allParties] + `m.client = ?2` + byID,
			"a page of a company":        selectChosen(allParties, page) + byID,
			"a page of everything":       selectChosen(allParties, all) + byID,
			"the same person's":          sameHolder,
			"those between the same":     selectMandates[allParties] + samePersons,
			"what changed for few":       changedSorted,
			"what changed for many":      changedFollowed,
			"the same intermediary's":    sameIntermediary,
			"a company by KvK number":    selectOrganisation + `o.kvk = ?2`,
			"a company by RSIN":          selectOrganisation + `o.rsin = ?2`,
			"a person":                   selectPerson + `p.pseudonym = ?2 AND p.authenticator = ?3`,
			"companies ahead":            expectedCompanies,
			"people ahead":               expectedPeople,
			"companies blocked":          selectOrganisation + blockedCompanies,
			"people blocked":             selectPerson + blockedPeople,
			"appointments in a company":  selectAppointments + `a.organisation = ?4 AND a.id > ?2 ORDER BY a.id LIMIT ?3`,
			"appointments of somebody":   selectAppointments + `v.account = ?2 AND v.state = 'appointed' ORDER BY a.id`,
			"an invitation":              selectAppointments + `a.invitation = ?2`,
			"a program by what it shows": selectPrograms,
			"requests that waited long":  expired,
			"requests that wait":         waits,
			"all that waits":             selectChosen(allParties, waiting) + byID,
			"the steps of one":           selectSteps,
			"notices to be told":         selectDue,
			"notices of a company":       selectWaiting,
			"the notices of one":         selectTold,
			"what was told before":       selectWarned,
			"the notices in a letter":    selectInLetter,
			"letters to be delivered":    selectOpen,
			"one letter":                 selectLetter,
			"mandates that end":          endingMandates,
			"appointments that end":      endingAppointments,
			"mandates in force long":     idle,
			"what a team lacks":          gaps + afterGap,
			"what a team gave somebody":  given,
			"the teams of a company":     selectTeams + `t.organisation = ?2 ORDER BY t.id`,
			"fees of a company":          selectFees + ofGrantors + byMandate,
			"the version to be ended":    `UPDATE mandate_version SET until = ?1 WHERE mandate = ?2 AND ` + isCurrent,
		} {
			for _, walk := range walks(t, session, query) {
				t.Errorf("%s: %s", why, walk)
			}
		}
	})
}

// walks gives the steps of a plan that read a whole table or index.
func walks(t *testing.T, s *session, query string) (list []string) {
	t.Helper()
	if _, ok := s.dialect.(*server); ok {
		return serverWalks(t, s, query)
	}
	rows, err := s.conn.QueryContext(ctx, `EXPLAIN QUERY PLAN `+query, make([]any, 1+mostExpected)...) // the most that any has
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id, parent, unused int
		var step string
		_ = rows.Scan(&id, &parent, &unused, &step)
		short := strings.Contains(step, "_blocked") || strings.Contains(step, "_pending") || // they hold few
			strings.Contains(step, "given") || strings.Contains(step, "received") || strings.Contains(step, "either") ||
			strings.Contains(step, "chosen") || step == "SCAN h" || step == "SCAN clients" // few ids, or those of one index
		if strings.HasPrefix(step, "SCAN") && !short {
			list = append(list, step)
		}
	}
	return list
}

// serverWalks looks at the plan that all executions share, whatever they ask for.
func serverWalks(t *testing.T, s *session, query string) (list []string) {
	t.Helper()
	text := s.dialect.words().placeholder(query)
	highest := 0
	for n := 1; strings.Contains(text, fmt.Sprintf("$%d", n)); n++ {
		highest = n
	}
	if _, err := s.conn.ExecContext(ctx, `PREPARE question AS `+text); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	rows, err := s.conn.QueryContext(ctx, `EXPLAIN EXECUTE question(`+strings.TrimSuffix(strings.Repeat("NULL, ", highest), ", ")+`)`)
	if err != nil {
		t.Fatal(err)
	}
	var plan []string
	for rows.Next() {
		var step string
		_ = rows.Scan(&step)
		plan = append(plan, step)
	}
	_ = rows.Close()
	for i, step := range plan {
		index := strings.Contains(step, "Index Scan") || strings.Contains(step, "Index Only Scan")
		conditional := i+1 < len(plan) && strings.Contains(plan[i+1], "Index Cond")
		if strings.Contains(step, "Seq Scan") || index && !conditional && !strings.Contains(step, "_blocked") && !strings.Contains(step, "_pending") {
			list = append(list, strings.Join(plan, "\n"))
		}
	}
	if _, err := s.conn.ExecContext(ctx, `DEALLOCATE question`); err != nil {
		t.Fatal(err)
	}
	return list
}
