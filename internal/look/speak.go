package look

import (
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // a day is one in Amsterdam on every machine
)

// amsterdam is where the people live who read the pages.
var amsterdam = must(time.LoadLocation("Europe/Amsterdam"))

var months = map[Language][12]string{
	Dutch:   {"januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober", "november", "december"},
	English: {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
}

// known is the language itself, or English.
func (l Language) known() Language {
	if l == Dutch {
		return Dutch
	}
	return English
}

// Date is a day as people in Amsterdam read it: 29 november 2026.
func (l Language) Date(at time.Time) string {
	day := at.In(amsterdam)
	return fmt.Sprintf("%d %s %d", day.Day(), months[l.known()][day.Month()-1], day.Year())
}

// Clock is a moment of a day in Amsterdam: 14:05.
func (l Language) Clock(at time.Time) string { return at.In(amsterdam).Format("15:04") }

// Moment is a day and a time of it: 29 november 2026 om 14:05 uur.
func (l Language) Moment(at time.Time) string {
	if l == Dutch {
		return l.Date(at) + " om " + l.Clock(at) + " uur"
	}
	return l.Date(at) + " at " + l.Clock(at)
}

// Number is a whole number: 1.234.567 in Dutch, 1,234,567 in English.
func (l Language) Number(n int64) string {
	digits, sign := strconv.FormatInt(n, 10), ""
	if n < 0 {
		digits, sign = digits[1:], "-"
	}
	between := ","
	if l == Dutch {
		between = "."
	}
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + between + digits[i:]
	}
	return sign + digits
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // something that is built into the program
	}
	return v
}
