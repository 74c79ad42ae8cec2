package guard

import "github.com/mandated/mandated/internal/sqlite"

var format = sqlite.Format{
	Name:          "replay guard",
	ApplicationID: 0x6d646731, // "mdg1"
	Version:       1,
	Schema: `
CREATE TABLE admitted (
	key   BLOB PRIMARY KEY,  -- SHA-256 of issuer and id
	until INTEGER NOT NULL   -- unix milliseconds; the last at which it counts
) STRICT, WITHOUT ROWID;
CREATE INDEX admitted_until ON admitted (until);
`,
}

// write admits a group in one transaction.
func (g *Guard) write(group []*message) error {
	now := g.now().UnixMilli()
	return g.file.Write(func(tx *sqlite.Tx) error {
		if err := sweep(tx, now, len(group)); err != nil {
			return err
		}
		for _, m := range group {
			if err := m.admit(tx, now); err != nil {
				return err
			}
		}
		return nil
	})
}

// admit looks and stores in one statement. A row that has expired and was not yet
// swept gives way.
func (m *message) admit(tx *sqlite.Tx, now int64) error {
	if m.until < now {
		m.refusal = ErrLate
		return nil
	}
	stored, err := tx.Exec(`INSERT INTO admitted (key, until) VALUES (?, ?)
		ON CONFLICT (key) DO UPDATE SET until = excluded.until WHERE until < ?`, m.key, m.until, now)
	if stored == 0 {
		m.refusal = ErrReplayed
	}
	return err
}

// sweep forgets up to a few more expired rows than are about to be added, so the
// file stays as large as the busiest window was, and no transaction is slow.
func sweep(tx *sqlite.Tx, now int64, added int) error {
	_, err := tx.Exec(`DELETE FROM admitted WHERE key IN (SELECT key FROM admitted WHERE until < ? ORDER BY until LIMIT ?)`,
		now, 2*added)
	return err
}
