package intake

import (
	"slices"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// What spreadsheets do to numbers and dates. They take away zeros in front, round long
// numbers to 1,23457E+11 and write days in the order of the country. Nothing that was
// lost is guessed: the line is refused, and its sentence tells how to keep it.
//
// Whoever takes tables of mandates reads numbers, dates and scopes here. What is wrong with one is
// a *sheet.Problem without a column.

// What to write, for the manual of the columns too.
const (
	writeKvK            sheet.Phrase = "write-kvk"
	writeRSIN           sheet.Phrase = "write-rsin"
	writeScope          sheet.Phrase = "write-scope"
	writeDate           sheet.Phrase = "write-date"
	writeEstablishments sheet.Phrase = "write-establishments"
)

// ParseKvK refuses the number that is nobody's, which the register keeps for itself.
func ParseKvK(s string) (etoegang.KvKNumber, error) {
	n, err := etoegang.ParseKvKNumber(s)
	if err == nil && register.ReservedNumber(n) {
		err = errSyntax
	}
	return n, keptBySpreadsheet(s, 8, writeKvK, err)
}

func parseRSIN(s string) (etoegang.RSIN, error) {
	n, err := etoegang.ParseRSIN(s)
	return n, keptBySpreadsheet(s, 9, writeRSIN, err)
}

// ParseEstablishments reads the numbers of branches, with spaces or commas between them.
func ParseEstablishments(s string) (list []etoegang.EstablishmentNumber, err error) {
	seen := map[etoegang.EstablishmentNumber]bool{}
	for _, text := range branches(s) {
		number, err := etoegang.ParseEstablishmentNumber(text)
		if err == nil && seen[number] {
			err = errSyntax
		}
		if err := keptBySpreadsheet(text, lengthOfBranch, writeEstablishments, err); err != nil {
			return nil, err
		}
		seen[number] = true
		list = append(list, number)
	}
	if list == nil { // commas alone: not the whole company
		return nil, toWrite(writeEstablishments)
	}
	return list, nil
}

const lengthOfBranch = 12

// branches takes numbers apart. A comma is between two of them if either is as long as a
// number is; else a spreadsheet has put it into one, as in 1,23457E+11.
func branches(s string) (list []string) {
	comma := func(r rune) bool { return r == ',' }
	for text := range strings.FieldsSeq(s) {
		parts := strings.FieldsFunc(text, comma)
		if slices.ContainsFunc(parts, func(p string) bool { return len(p) == lengthOfBranch }) {
			list = append(list, parts...)
		} else if text = strings.TrimFunc(text, comma); text != "" {
			list = append(list, text)
		}
	}
	return list
}

// keptBySpreadsheet tells apart the numbers that a spreadsheet has spoiled from those
// that somebody mistyped.
func keptBySpreadsheet(s string, digits int, write sheet.Phrase, err error) error {
	const digit = "0123456789"
	rest := strings.Trim(s, digit)
	switch {
	case err == nil:
		return nil
	case rest == "" && len(s) < digits:
		return refuse("", "zeros-lost", with{"has": len(s), "needs": digits})
	case rest != "" && strings.Trim(s, digit+".,eE+") == "" && strings.ContainsAny(s, digit):
		return refuse("", "number-rewritten", with{"needs": digits})
	}
	return toWrite(write)
}

// toWrite tells of a cell that is not as it should be what to write.
func toWrite(what sheet.Phrase) *sheet.Problem { return refuse("", "write", with{"write": what}) }

// ParseMoment reads a moment as the register writes it, or a day as Dutch people write
// it: day, month and year with a hyphen between them.
func ParseMoment(s string) (time.Time, error) {
	moment, err := mandate.ParseMoment(s)
	if err == nil {
		return moment, nil
	}
	if day, dutch := time.Parse("2-1-2006", s); dutch == nil {
		return mandate.ParseMoment(day.Format(time.DateOnly))
	}
	return moment, misreadDate(s)
}

// misreadDate tells apart the dates that could be read in two ways, and those that a
// spreadsheet made a number of.
func misreadDate(s string) error {
	days := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' })
	switch {
	case strings.Trim(s, "0123456789") == "" && len(s) == 5:
		return refuse("", "date-is-number", nil)
	case strings.Trim(s, "0123456789-/") != "" || len(days) != 3:
		return toWrite(writeDate)
	case len(days[0]) <= 2 && len(days[2]) <= 2:
		return refuse("", "year-too-short", nil)
	case strings.Contains(s, "/"):
		return refuse("", "date-with-slashes", nil)
	}
	return toWrite(writeDate)
}
