package intake

import (
	"slices"
	"strings"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/mandate"
)

// The names of the columns.
const (
	kind             = "kind"
	grantorKvK       = "grantor_kvk"
	grantorRSIN      = "grantor_rsin"
	grantorName      = "grantor_name"
	intermediaryKvK  = "intermediary_kvk"
	intermediaryName = "intermediary_name"
	authenticator    = "authenticator"
	pseudonym        = "pseudonym"
	personName       = "person_name"
	clientKvK        = "client_kvk"
	scope            = "scope"
	from             = "from"
	until            = "until"
	establishments   = "establishments"
	otherRegister    = "register"
	reference        = "reference"
)

// column is what a column is for: which mandates have it, and what to write in it.
type column struct {
	name     string
	dutch    string         // the same on the first line of a file made in Dutch
	required bool           // by those kinds that have it
	kinds    []mandate.Kind // nil: all
	write    sheet.Phrase   // completes "Column kind: write ..."
}

var (
	toPerson  = []mandate.Kind{mandate.Direct, mandate.Assignment}
	chainOnly = []mandate.Kind{mandate.Chain}
)

// columns is the manual of the file, in the order in which a line is judged.
//
// A date can be written as Dutch people and their spreadsheets do, 31-12-2027. With
// slashes it cannot: 01/12/2027 is the first of December from a Dutch spreadsheet and
// the twelfth of January from an American one, and nothing in the file tells which.
// "tot" is the moment at which a mandate is over, not its last day.
var columns = []column{
	{kind, "soort", true, nil, "write-kind"},
	{grantorKvK, "kvk_gever", true, nil, writeKvK},
	{grantorRSIN, "rsin_gever", false, nil, writeRSIN},
	{grantorName, "naam_gever", false, nil, "write-name"},
	{intermediaryKvK, "kvk_intermediair", true, chainOnly, writeKvK},
	{intermediaryName, "naam_intermediair", false, chainOnly, "write-name"},
	{authenticator, "authenticatiedienst", true, toPerson, "write-authenticator"},
	{pseudonym, "pseudoniem", true, toPerson, "write-pseudonym"},
	{personName, "naam_persoon", false, toPerson, "write-name"},
	{clientKvK, "kvk_klant", true, []mandate.Kind{mandate.Assignment}, writeKvK},
	{scope, "bereik", true, nil, writeScope},
	{from, "van", true, nil, writeDate},
	{until, "tot", true, nil, writeDate},
	{establishments, "vestigingen", false, []mandate.Kind{mandate.Direct}, writeEstablishments},
	{otherRegister, "register", false, chainOnly, "write-register"},
	{reference, "kenmerk", false, nil, "write-reference"},
}

// sheetColumns are the columns as the reader of files knows them.
func sheetColumns() (list []sheet.Column) {
	for _, c := range columns {
		list = append(list, sheet.Column{Name: c.name, Also: []string{c.dutch}, Needed: c.everywhere()})
	}
	return list
}

// Columns names the columns that a file can have.
func Columns() (names []string) {
	for _, c := range columns {
		names = append(names, c.name)
	}
	return names
}

// of tells whether mandates of a kind have the column.
func (c column) of(k mandate.Kind) bool { return c.kinds == nil || slices.Contains(c.kinds, k) }

// kindNames names the kinds that have the column, for people.
func (c column) kindNames() string {
	names := make([]string, len(c.kinds))
	for i, k := range c.kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

func named(name string) column {
	return columns[slices.IndexFunc(columns, func(c column) bool { return c.name == name })]
}

// everywhere tells whether every line, and so every file, has the column.
func (c column) everywhere() bool { return c.required && c.kinds == nil }
