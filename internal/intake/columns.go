package intake

import (
	"slices"
	"strings"

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
	required bool           // by those kinds that have it
	kinds    []mandate.Kind // nil: all
	write    string         // completes "Column kind: write ..."
}

var (
	toPerson  = []mandate.Kind{mandate.Direct, mandate.Assignment}
	chainOnly = []mandate.Kind{mandate.Chain}
)

const (
	writeKvK  = "a KvK number of exactly 8 digits, with the zeros in front that a spreadsheet may have dropped"
	writeName = "a name of at most 200 letters, on one line"
	writeDate = "a date as year-month-day, like 2027-01-31, or a moment like 2027-01-31T09:00:00Z"
)

// columns is the manual of the file, in the order in which a line is judged.
var columns = []column{
	{kind, true, nil, "one of the words direct, chain or assignment"},
	{grantorKvK, true, nil, writeKvK},
	{grantorRSIN, false, nil, "an RSIN of 9 digits, with the zeros in front, or leave it empty; this is not one: at least one digit is wrong or missing"},
	{grantorName, false, nil, writeName},
	{intermediaryKvK, true, chainOnly, writeKvK},
	{intermediaryName, false, chainOnly, writeName},
	{authenticator, true, toPerson, "the EntityID of the authentication service of this person, like urn:etoegang:AD:<OIN>:entities:<index>"},
	{pseudonym, true, toPerson, "the person's pseudonym at the authentication service: exactly 64 characters, each a digit or one of the letters a to f"},
	{personName, false, toPerson, writeName},
	{clientKvK, true, []mandate.Kind{mandate.Assignment}, writeKvK},
	{scope, true, nil, "what the mandate covers, with a space between the items: <ServiceUUID>@loa3 for one service, provider:<OIN>@loa3 for all services of a provider, everything@loa3 for all services; the level after @ is loa2, loa2plus, loa3 or loa4"},
	{from, true, nil, writeDate},
	{until, true, nil, writeDate},
	{establishments, false, []mandate.Kind{mandate.Direct}, "establishment numbers of exactly 12 digits, with the zeros in front and a space between them, each once; or leave it empty for the whole company"},
	{otherRegister, false, chainOnly, "the EntityID of the other register that holds this mandate, like urn:etoegang:MR:<OIN>:entities:<index>, or leave it empty if it is held here"},
	{reference, false, nil, "a note of at most 255 bytes (an accented letter takes two)"},
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
	return strings.Join(names, " or ")
}

func named(name string) column {
	return columns[slices.IndexFunc(columns, func(c column) bool { return c.name == name })]
}

// everywhere tells whether every line, and so every file, has the column.
func (c column) everywhere() bool { return c.required && c.kinds == nil }
