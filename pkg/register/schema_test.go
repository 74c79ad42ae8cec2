package register

import (
	"database/sql"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/mandate"
)

// raw opens the file as anybody with a SQLite shell would.
func raw(t *testing.T, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// lived is a register with something in every table.
func lived(t *testing.T) (*scene, *sql.DB) {
	s := newScene(t)
	b, a, g := s.org(1), s.org(2), s.person(1)
	limited := direct(b, g)
	limited.Establishments = append(limited.Establishments, branch(1))
	s.grant(limited)                             // mandate 1
	c := s.grant(chain(b, a))                    // mandate 2
	s.grant(assignment(c, g))                    // mandate 3
	s.setState(1, mandate.Revoked)               // its second version
	s.change(func(t *Tx) { put(t, edition(1)) }) // catalogue 1
	s.change(func(t *Tx) { must(t.PutPerson(human(2))) })
	return s, raw(t, s.path)
}

// Whoever writes SQL past this package cannot rewrite history either.
func TestTheDatabaseRefusesToForget(t *testing.T) {
	_, db := lived(t)
	tables := []string{"register", "head", "revision", "change_feed", "organisation", "organisation_version", "person",
		"person_version", "mandate", "mandate_version", "mandate_scope", "mandate_establishment", "catalogue_version"}
	for _, table := range tables {
		if _, err := db.Exec(`DELETE FROM ` + table); err == nil {
			t.Errorf("rows of %s can be deleted", table)
		}
		columns, err := db.Query(`SELECT name FROM pragma_table_info(?)`, table)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for columns.Next() {
			var name string
			_ = columns.Scan(&name)
			names = append(names, name)
		}
		for _, name := range names {
			if _, err := db.Exec(`UPDATE ` + table + ` SET ` + name + ` = ` + name); err == nil {
				t.Errorf("%s.%s can be updated", table, name)
			}
		}
	}
	var count int
	if err := db.QueryRow(`SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'`).Scan(&count); err != nil || count != len(tables) {
		t.Errorf("there are %d tables (%v), this test knows %d", count, err, len(tables))
	}
}

// The database holds every invariant that it can: each line is nonsense that our own
// code would never write.
func TestTheDatabaseRefusesNonsense(t *testing.T) {
	_, db := lived(t)
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`BEGIN; UPDATE head SET revision = revision + 1;
		INSERT INTO revision SELECT revision, randomblob(16), 9000000000000, 'x', 'y' FROM head; COMMIT`); err != nil {
		t.Fatalf("sense is refused: %v", err)
	}
	const other = `BEGIN; INSERT INTO organisation VALUES (9);
		INSERT INTO organisation_version VALUES (9, 1, (SELECT revision FROM head), 9223372036854775807, `
	const someone = `BEGIN; INSERT INTO person VALUES (9);
		INSERT INTO person_version VALUES (9, 1, (SELECT revision FROM head), 9223372036854775807, `
	for _, sense := range []string{
		other + `'12345678', NULL, '', 1)`,
		someone + `'urn:etoegang:AD:x', '` + strings.Repeat("0f", 32) + `', '', 1)`,
	} {
		if _, err := db.Exec(sense + `; ROLLBACK`); err != nil {
			t.Fatalf("sense is refused: %v", err)
		}
	}
	const granted = `INSERT INTO mandate (id, kind, grantor, represented, person, intermediary, client, register, limited, valid_from, valid_to, reference) VALUES `
	for why, statement := range map[string]string{
		"a second row of settings":           `INSERT INTO register VALUES (2, 'urn:etoegang:MR:x', 1, randomblob(32), 0)`,
		"a jump of revisions":                `UPDATE head SET revision = revision + 2`,
		"a head without its revision":        `BEGIN; UPDATE head SET revision = revision + 1; COMMIT`,
		"a revision of long ago":             `INSERT INTO revision VALUES (-1, randomblob(16), 0, 'x', 'y')`,
		"a revision again":                   `INSERT OR REPLACE INTO revision VALUES (1, randomblob(16), 9000000000001, 'x', 'y')`,
		"a line about an older revision":     `INSERT INTO change_feed VALUES (1, randomblob(16))`,
		"a party of seven bytes":             `INSERT INTO change_feed SELECT revision, randomblob(7) FROM head`,
		"a KvK number of seven digits":       other + `'1234567', NULL, '', 1); COMMIT`,
		"a KvK number with a letter":         other + `'1234567a', NULL, '', 1); COMMIT`,
		"the same company twice":             other + `'00000001', NULL, '', 1); COMMIT`,
		"the same person twice":              someone + `(SELECT authenticator FROM person_version), (SELECT pseudonym FROM person_version), '', 1); COMMIT`,
		"a short pseudonym":                  someone + `'urn:etoegang:AD:x', 'abc', '', 1); COMMIT`,
		"a version in the past":              `INSERT INTO organisation_version VALUES (1, 2, 1, 9223372036854775807, '00000001', NULL, '', 1)`,
		"a second current version":           `INSERT INTO organisation_version SELECT 1, 2, revision, 9223372036854775807, '00000001', NULL, '', 1 FROM head`,
		"a version of nobody":                `INSERT INTO organisation_version SELECT 99, 1, revision, 9223372036854775807, '00000001', NULL, '', 1 FROM head`,
		"a person's second current version":  `INSERT INTO person_version SELECT 1, 2, revision, 9223372036854775807, authenticator, pseudonym, '', 1 FROM head, person_version WHERE person = 1`,
		"another number for a company":       `BEGIN; UPDATE organisation_version SET until = (SELECT revision FROM head) WHERE organisation = 1; INSERT INTO organisation_version SELECT 1, 2, revision, 9223372036854775807, '00000009', NULL, '', 1 FROM head; COMMIT`,
		"ending a version in the past":       `UPDATE organisation_version SET until = 3 WHERE organisation = 1`,
		"a state after the end":              `BEGIN; UPDATE mandate_version SET until = (SELECT revision FROM head) WHERE mandate = 1 AND version = 2; INSERT INTO mandate_version SELECT 1, 3, revision, 9223372036854775807, 'active' FROM head; COMMIT`,
		"an unknown state":                   `INSERT INTO mandate_version SELECT 3, 2, revision, 9223372036854775807, 'lost' FROM head`,
		"an unknown kind":                    granted + `(9, 'gift', 1, 1, 1, NULL, NULL, NULL, 0, 0, 1000, '')`,
		"a direct mandate to a company":      granted + `(9, 'direct', 1, 1, NULL, 2, NULL, NULL, 0, 0, 1000, '')`,
		"a direct mandate for another":       granted + `(9, 'direct', 1, 2, 1, NULL, NULL, NULL, 0, 0, 1000, '')`,
		"a chain to a person":                granted + `(9, 'chain', 1, 1, 1, 2, NULL, NULL, 0, 0, 1000, '')`,
		"a chain to oneself":                 granted + `(9, 'chain', 1, 1, NULL, 1, NULL, NULL, 0, 0, 1000, '')`,
		"a chain limited to a branch":        granted + `(9, 'chain', 1, 1, NULL, 2, NULL, NULL, 1, 0, 1000, '')`,
		"an assignment without client":       granted + `(9, 'assignment', 2, 1, 1, NULL, NULL, NULL, 0, 0, 1000, '')`,
		"an assignment of a direct mandate":  granted + `(9, 'assignment', 2, 1, 1, NULL, 1, NULL, 0, 0, 1000, '')`,
		"an assignment of an assignment":     granted + `(9, 'assignment', 2, 1, 1, NULL, 3, NULL, 0, 0, 1000, '')`,
		"an assignment of another's client":  granted + `(9, 'assignment', 1, 2, 1, NULL, 2, NULL, 0, 0, 1000, '')`,
		"a mandate of nobody":                granted + `(9, 'direct', 99, 99, 1, NULL, NULL, NULL, 0, 0, 1000, '')`,
		"a mandate that ends when it begins": granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 1000, 1000, '')`,
		"a mandate for a lifetime":           granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 0, 999999999000, '')`,
		"half a second":                      granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 500, 1000, '')`,
		"a long reference":                   granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 0, 1000, printf('%256s', ''))`,
		"a wider scope afterwards":           `INSERT INTO mandate_scope VALUES (1, '11111111-2222-3333-4444-555555555555', '', 'loa3')`,
		"a branch afterwards":                `INSERT INTO mandate_establishment VALUES (1, '000000000009')`,
		"an older catalogue":                 `INSERT INTO catalogue_version SELECT 1, revision, '', 0, randomblob(32), '', 0, '' FROM head`,
		"text where a number belongs":        granted + `('x', 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 0, 1000, '')`,
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s is accepted", why)
		}
		_, _ = db.Exec(`ROLLBACK`)
	}
	const inOne = `BEGIN; ` + granted + `(9, 'direct', 1, 1, 1, NULL, NULL, NULL, 0, 0, 1000, '');
		INSERT INTO mandate_version SELECT 9, 1, revision, 9223372036854775807, 'active' FROM head;`
	for why, statement := range map[string]string{
		"loa1":                          `INSERT INTO mandate_scope VALUES (9, '', '', 'loa1')`,
		"a service and a provider":      `INSERT INTO mandate_scope VALUES (9, '11111111-2222-3333-4444-555555555555', '00000003520354760000', 'loa3')`,
		"the same item twice":           `INSERT INTO mandate_scope VALUES (9, '', '', 'loa2'), (9, '', '', 'loa3')`,
		"branches of what has no limit": `INSERT INTO mandate_establishment VALUES (9, '000000000009')`,
	} {
		if _, err := db.Exec(inOne + statement); err == nil {
			t.Errorf("%s is accepted", why)
		}
		_, _ = db.Exec(`ROLLBACK`)
	}
}

// The schema names the same states as package mandate does.
func TestTheSchemaKnowsTheStates(t *testing.T) {
	text := string(must(schema.ReadFile("schema/sqlite/00001_register.sql")))
	for _, state := range []mandate.State{mandate.Draft, mandate.Requested, mandate.AwaitingSignatures, mandate.AwaitingAcceptance,
		mandate.Active, mandate.Suspended, mandate.Revoked, mandate.LapsedUnused, mandate.Superseded, mandate.Rejected,
		mandate.Withdrawn, mandate.RequestExpired} {
		want := 1
		if state.Ended() {
			want = 2 // and where nothing may follow it
		}
		if got := strings.Count(text, "'"+string(state)+"'"); got != want {
			t.Errorf("%s stands in the schema %d times, not %d", state, got, want)
		}
	}
}

// No question of a decision or an import walks a table: at a million mandates that is
// the difference between microseconds and seconds.
func TestNothingWalksATable(t *testing.T) {
	_, db := lived(t)
	for why, query := range map[string]string{
		"held by a person":        selectMandates[grantorOnly] + `m.person = ?2` + byHolder,
		"held for one company":    selectMandates[grantorOnly] + `m.person = ?2 AND m.represented = ?3` + byHolder,
		"a chain passed on":       selectMandates[grantorOnly] + `m.id = ?2` + byID,
		"many chains passed on":   selectMandates[grantorOnly] + `m.id IN (SELECT client FROM mandate WHERE person = ?2)` + byID,
		"between two companies":   selectMandates[noParties] + `m.grantor = ?2 AND m.intermediary = ?3` + byID,
		"one mandate":             selectMandates[allParties] + `m.id = ?2` + byID,
		"the assignments of one":  selectMandates[allParties] + `m.client = ?2` + byID,
		"a page of a company":     selectMandates[allParties] + `m.id IN (` + Filter{Organisation: 1}.page() + `)` + byID,
		"the same person's":       sameHolder,
		"the same intermediary's": sameIntermediary,
		"a company by KvK number": selectOrganisation + `o.kvk = ?2`,
		"a company by RSIN":       selectOrganisation + `o.rsin = ?2`,
		"a person":                selectPerson + `p.pseudonym = ?2 AND p.authenticator = ?3`,
		"the version to be ended": `UPDATE mandate_version SET until = ?1 WHERE mandate = ?2 AND until = ?3`,
	} {
		rows, err := db.Query(`EXPLAIN QUERY PLAN `+query, 1, 2, 3, 4, 5, 6, 7)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			var id, parent, unused int
			var step string
			_ = rows.Scan(&id, &parent, &unused, &step)
			// A page merges two short lists of ids, which are not tables.
			if strings.HasPrefix(step, "SCAN") && !strings.Contains(step, "given") && !strings.Contains(step, "received") && !strings.Contains(step, "either") {
				t.Errorf("%s: %s", why, step)
			}
		}
		_ = rows.Close()
	}
}
