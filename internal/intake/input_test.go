package intake

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// A header that cannot be right stops the import before anything is done, and says
// what to mend. If there is no header, the numbers that stand in its place are not
// repeated.
func TestHeader(t *testing.T) {
	for name, c := range map[string]struct{ text, says string }{
		"empty file":      {"", "empty"},
		"blank file":      {"\n\n", "empty"},
		"missing columns": {"kind,grantor_kvk,from\n", "scope, until"},
		"unknown column":  {header + ",colour\n", `"colour"`},
		"a column twice":  {header + ",kind\n", "kind is there twice"},
		"no header":       {direct() + "\n", `"direct" is not a column`},
		"numbers first":   {bakery + "," + nym(1) + "\n", "the text in place 1"},
		"old Macintosh":   {header + "\r" + direct() + "\r", "Macintosh"},
		"UTF-16, no mark": {"\x00k\x00i", "UTF-8"},
		"Latin-1":         {file(direct("person_name=Ren\xe9e")), "UTF-8"},
		"an open quote":   {`"kind,grantor_kvk`, "quotation mark"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			out := s.try(c.text, Options{})
			switch {
			case out.err == nil:
				t.Fatal("accepted")
			case !strings.Contains(out.err.Error(), c.says):
				t.Errorf("%q does not say %q", out.err, c.says)
			case strings.Contains(out.err.Error(), bakery), strings.Contains(out.err.Error(), nym(1)):
				t.Errorf("%q repeats a number", out.err)
			case out.Lines != 0 || s.revision() != 0:
				t.Error("something was done")
			}
		})
	}
}

// A header that is right is right in any order, with either separator, with or
// without a byte order mark and with either line end.
func TestHeaderOfAnyMake(t *testing.T) {
	names := []string{until, scope, kind, from, pseudonym, authenticator, grantorKvK, personName}
	cells := []string{"2027-12-01", tax, "direct", "2026-12-01", nym(1), ad, bakery, `"Jansen, J.; de"`}
	for _, separator := range []string{",", ";"} {
		for _, mark := range []string{"", "\ufeff"} {
			for _, end := range []string{"\n", "\r\n"} {
				s := newScene(t)
				out := s.try(mark+strings.Join(names, separator)+end+strings.Join(cells, separator)+end, Options{})
				s.want(out, "granted")
				if p := s.human(1); p == nil || p.Name != "Jansen, J.; de" {
					t.Errorf("%q %q %q: %+v", separator, mark, end, p)
				}
			}
		}
	}
}

// In a file that is UTF-8, one damaged line is one bad line.
func TestDamagedLine(t *testing.T) {
	s := newScene(t)
	out := s.load(direct("person_name=Renée"), direct("person_name=Ren\xe9e", "pseudonym="+nym(2)), direct("pseudonym="+nym(3)))
	s.want(out, "granted refused granted")
}

// A file of chain mandates needs no columns for people.
func TestColumnsOfOtherKinds(t *testing.T) {
	s := newScene(t)
	head := "kind,grantor_kvk,intermediary_kvk,scope,from,until\n"
	out := s.try(head+"chain,11110001,22220001,everything@loa3,2026-12-01,2027-12-01\ndirect,11110001,,everything@loa3,2026-12-01,2027-12-01\n", Options{})
	s.want(out, "granted refused")
	if r := out.results[1]; columnOf(r) != authenticator || !strings.Contains(said(r), "add this column") {
		t.Errorf("%+v", r)
	}
}

// Every cell that cannot be right is refused under its column, with a sentence that
// says what to write and does not repeat what was written.
func TestCells(t *testing.T) {
	for name, c := range map[string]struct{ line, column, says string }{
		"kind empty":               {direct("kind="), kind, "direct, chain or assignment"},
		"kind unknown":             {direct("kind=Direct"), kind, "direct, chain or assignment"},
		"zeros dropped":            {direct("grantor_kvk=1234567"), grantorKvK, "7 digits and needs 8"},
		"zeros dropped, client":    {assignment("client_kvk=12"), clientKvK, "Format Cells"},
		"zeros dropped, office":    {chain("intermediary_kvk=1234567"), intermediaryKvK, "zeros in front"},
		"zeros dropped, RSIN":      {direct("grantor_rsin=12345678"), grantorRSIN, "8 digits and needs 9"},
		"zeros dropped, branch":    {direct("establishments=12345678901"), establishments, "11 digits and needs 12"},
		"short form":               {direct("establishments=1,23457E+11"), establishments, "digits may be lost"},
		"short form, second":       {direct("establishments=000000000001 1.2E+11"), establishments, "digits may be lost"},
		"thousands":                {direct("establishments=123,456,789,012"), establishments, "digits may be lost"},
		"zeros dropped, second":    {direct("establishments=000000000001,12345678902"), establishments, "11 digits and needs 12"},
		"branch twice, commas":     {direct("establishments=000000000001,000000000001"), establishments, "once"},
		"a comma and no branch":    {direct("establishments=,"), establishments, "whole company"},
		"a decimal":                {direct("grantor_kvk=1234567.0"), grantorKvK, "digits may be lost"},
		"dots between":             {direct("grantor_kvk=1.234.567"), grantorKvK, "digits may be lost"},
		"too many digits":          {direct("grantor_kvk=123456789"), grantorKvK, "exactly 8 digits"},
		"no grantor":               {direct("grantor_kvk="), grantorKvK, "8 digits"},
		"nobody's number":          {direct("grantor_kvk=00000000"), grantorKvK, "8 digits"},
		"nobody's authenticator":   {direct("authenticator=urn:etoegang:AD:00000000000000000000:entities:9999"), authenticator, "EntityID"},
		"RSIN mistyped":            {direct("grantor_rsin=123456789"), grantorRSIN, "9 digits"},
		"name too long":            {direct("grantor_name=" + strings.Repeat("a", 201)), grantorName, "200"},
		"name on two lines":        {direct("person_name=a\nb"), personName, "one line"},
		"no person":                {direct("pseudonym="), pseudonym, "64"},
		"pseudonym too short":      {direct("pseudonym=abc123456789"), pseudonym, "64"},
		"no authenticator":         {direct("authenticator="), authenticator, "EntityID"},
		"a register authenticates": {direct("authenticator=" + mr2), authenticator, "urn:etoegang:AD"},
		"direct to a company":      {direct("intermediary_kvk=" + office), intermediaryKvK, "leave it empty"},
		"direct for a client":      {direct("client_kvk=" + farm), clientKvK, "leave it empty"},
		"direct elsewhere":         {direct("register=" + mr2), otherRegister, "leave it empty"},
		"chain to a person":        {chain("pseudonym=" + nym(1)), pseudonym, "leave it empty"},
		"chain to nobody":          {chain("intermediary_kvk="), intermediaryKvK, "8 digits"},
		"chain to oneself":         {chain("intermediary_kvk=" + bakery), intermediaryKvK, "another company"},
		"chain for a branch":       {chain("establishments=000000000001"), establishments, "leave it empty"},
		"chain held by a broker":   {chain("register=" + ad), otherRegister, "urn:etoegang:MR"},
		"assignment for nobody":    {assignment("client_kvk="), clientKvK, "8 digits"},
		"no scope":                 {direct("scope="), scope, "everything@loa3"},
		"scope without level":      {direct("scope=everything"), scope, "everything@loa3"},
		"a number in the scope":    {direct("scope=" + bakery + "@loa3"), scope, "everything@loa3"},
		"loa1":                     {direct("scope=everything@loa1"), scope, "no longer exists"},
		"scope twice":              {direct("scope=" + tax + " " + strings.Replace(tax, "loa3", "loa4", 1)), scope, "twice"},
		"no such month":            {direct("from=01-13-2026"), from, "31-01-2027"},
		"American date":            {direct("from=12/01/2026"), from, "hyphens"},
		"Dutch date with slashes":  {direct("until=31/12/2027"), until, "hyphens"},
		"short year":               {direct("until=31-12-27"), until, "four digits"},
		"day as a number":          {direct("until=46752"), until, "made a number of this date"},
		"no such day":              {direct("until=2027-02-30"), until, "2027-01-31"},
		"no end":                   {direct("until="), until, "2027-01-31"},
		"end before start":         {direct("until=2026-11-30"), until, "after"},
		"too long":                 {direct("until=2031-12-02"), until, "5 years"},
		"in the past":              {direct("from=2026-11-23"), from, "today or a later date"},
		"the year one":             {direct("from=0001-01-01T00:00:00Z"), from, "write"},
		"branch too short":         {direct("establishments=1234567890123"), establishments, "12 digits"},
		"branch twice":             {direct("establishments=000000000001 000000000001"), establishments, "once"},
		"reference too long":       {direct("reference=" + strings.Repeat("é", 128)), reference, "255"},
		"reference with a bell":    {direct("reference=\a"), reference, "255"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			out := s.load(c.line)
			s.want(out, "refused")
			r := out.results[0]
			if columnOf(r) != c.column || !strings.Contains(said(r), "Column "+c.column) || !strings.Contains(said(r), c.says) {
				t.Errorf("%+v: want column %s and %q", r, c.column, c.says)
			}
			if number := digitsIn(said(r)); number != "" {
				t.Errorf("%q repeats %s", said(r), number)
			}
			if s.revision() != 0 {
				t.Error("a refused line changed the register")
			}
		})
	}
}

// digitsIn finds what could be somebody's number: seven digits or more in a row.
func digitsIn(text string) string {
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(word) >= 7 {
			return word
		}
	}
	return ""
}

// Spaces around a cell are layout; letters and digits are not.
func TestSpaces(t *testing.T) {
	s := newScene(t)
	s.want(s.load(direct("grantor_kvk=  "+bakery+" ", "scope=\t"+tax+"\u00a0"), direct()), "granted unchanged")
}

// A disk that fails is not the end of the file.
func TestFailingFile(t *testing.T) {
	broken := errors.New("the disk is on fire")
	for _, text := range []string{"", file()[:5], file(direct()), header + "\n" + strings.Repeat("x", 300_000)} {
		s := newScene(t)
		in := io.MultiReader(strings.NewReader(text), iotest.ErrReader(broken))
		if _, err := Import(ctx, s.Register, in, Options{Author: clerk}, nil); !errors.Is(err, broken) {
			t.Errorf("got %v", err)
		}
	}
}

// A file is read as it comes, however small the pieces.
func TestSlowFile(t *testing.T) {
	s := newScene(t)
	summary, err := Import(ctx, s.Register, iotest.OneByteReader(strings.NewReader(file(direct(), chain()))), Options{Author: clerk}, nil)
	if err != nil || summary.Granted != 2 {
		t.Errorf("%v, %+v", err, summary)
	}
}
