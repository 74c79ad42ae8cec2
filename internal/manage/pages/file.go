package pages

import (
	"encoding/csv"
	"net/http"
	"time"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/internal/intake/sheet"
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/register"
)

// file is a table that somebody takes along, to open in a spreadsheet.
type file struct {
	name  string
	heads []string
	rows  func(row func(...string) error) error
}

// perFile is how much of the register is read at a time for a file.
const perFile = 500

// perPart is how long a part of a file may take: to be read here, and to arrive there. So a file may
// take longer than any page, as long as it moves.
const perPart = time.Minute

// listFile is a list as a file: read part by part, all of it as it was at one revision. A part gives
// the rows after a place in the list, such as a number, and the last place that it has read.
func listFile[P any](v *visit, name string, heads []string, part func(l *desk.Look, after P) (rows [][]string, last P, more bool, err error)) (answer, error) {
	var at register.Revision
	if err := v.look(func(l *desk.Look) error { at = l.Revision(); return nil }); err != nil {
		return answer{}, err
	}
	return answer{file: &file{name, heads, func(row func(...string) error) error {
		control := http.NewResponseController(v.w)
		var after P
		for more := true; more; {
			by := time.Now().Add(perPart)
			_ = control.SetReadDeadline(by) // the server reads meanwhile, to hear whether the browser leaves
			_ = control.SetWriteDeadline(by)
			var rows [][]string
			if err := v.c.Desk.Look(v.ctx(), v.caller(), at, func(l *desk.Look) (err error) { rows, after, more, err = part(l, after); return err }); err != nil {
				return err
			}
			for _, cells := range rows {
				if err := row(cells...); err != nil {
					return err
				}
			}
		}
		return nil
	}}}, nil
}

// send writes a file as spreadsheets here open it at a double click: with the mark of its
// alphabet, and between the cells what that language has there. One that is cut off is no file.
func (v *visit) send(f file) {
	h := v.w.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8; header=present")
	h.Set("Content-Disposition", `attachment; filename="`+f.name+`.csv"`)
	h.Set("Content-Language", string(v.say.Language))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "same-origin")
	w := csv.NewWriter(v.w)
	w.Comma, w.UseCRLF = ',', true
	if v.say.Language == look.Dutch {
		w.Comma = ';'
	}
	row := func(cells ...string) error {
		for i := range cells {
			cells[i] = sheet.NoFormula(cells[i])
		}
		return w.Write(cells)
	}
	_, err := v.w.Write([]byte("\ufeff"))
	if err == nil {
		err = row(f.heads...)
	}
	if err == nil {
		err = f.rows(row)
	}
	if w.Flush(); err == nil {
		err = w.Error()
	}
	if err != nil {
		e, known := explained(err)
		v.note(err, e, known)
		panic(http.ErrAbortHandler)
	}
}

// day is a day in a file: as our own uploads read it.
func (v *visit) day(at time.Time) string {
	day := look.DateOf(at)
	return day.Day + "-" + day.Month + "-" + day.Year
}
