package look

import (
	"bytes"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// TokenField is the field in which a form sends back its token.
const TokenField = "token"

// Form is sent to an address. What is wrong with its fields is told at the top of the page,
// with links to them. The browser checks nothing: it would say so in words that are not ours.
type Form struct {
	Address string
	Search  bool // it is a place to search in, heard as such

	// Token is good for one time, which makes a second press of the button harmless without
	// script: whoever gets the form takes each token once. "": a form that may be sent twice.
	Token string

	Hidden  []Hidden
	Parts   []Part // fields, and what stands between them
	Buttons []Button
	Cancel  *Link
}

// Hidden goes along unseen.
type Hidden struct{ Name, Value string }

// ButtonKind is how much a button asks for.
type ButtonKind int

// The kinds of buttons. A page has one primary button.
const (
	Primary ButtonKind = iota
	Secondary
	Danger
)

// Class is what the style calls the kind.
func (k ButtonKind) Class() string {
	return [...]string{"utrecht-button--primary-action", "utrecht-button--secondary-action", "utrecht-button--primary-action utrecht-button--danger"}[k]
}

// Link is what the style calls a link that looks like such a button.
func (k ButtonKind) Link() string {
	return [...]string{"utrecht-button-link--primary-action", "utrecht-button-link--secondary-action", "utrecht-button-link--primary-action look-danger"}[k]
}

// Button sends the form.
type Button struct {
	Text  string
	Kind  ButtonKind
	Name  string // "": the form is the same whichever button is pressed
	Value string
}

// Field is a question in a form. Its name is the only one on the page.
type Field struct {
	Name     string
	Label    string
	Hint     string
	Error    string // what is wrong, and how to do it right; "": nothing
	Optional bool
	Input    Input // nil: a line of text, TextInput{}
}

// Input is where the answer is filled in.
type Input interface{ kind() string }

// TextInput is a line of text.
type TextInput struct {
	Value        string
	Type         string // "": text; email, tel, search, password, url
	Autocomplete string // what the browser may fill in, by the names of HTML; "": nothing
	MaxLength    int    // in characters; 0: no limit
}

// NumberInput is a line of twelve digits at most: the number of a company, for instance. Phones
// show their keys for digits.
type NumberInput struct {
	Value     string
	MaxLength int
}

// DateInput is a day, as three numbers that are typed. Of a field "start" they are the fields
// start-day, start-month and start-year.
type DateInput struct{ Day, Month, Year string }

// RadioInput is one choice of few.
type RadioInput []Option

// CheckInput is any number of choices.
type CheckInput []Option

// SelectInput is one choice of many.
type SelectInput []Option

// AreaInput is a text of several lines.
type AreaInput struct{ Value string }

// FileInput is a file.
type FileInput struct {
	Accept string // names and types of files, as in HTML
}

// Option is something to choose.
type Option struct {
	Value, Label string
	Hint         string
	Chosen       bool
}

func (TextInput) kind() string   { return "text" }
func (NumberInput) kind() string { return "number" }
func (DateInput) kind() string   { return "date" }
func (RadioInput) kind() string  { return "radio" }
func (CheckInput) kind() string  { return "check" }
func (SelectInput) kind() string { return "select" }
func (AreaInput) kind() string   { return "area" }
func (FileInput) kind() string   { return "file" }

func (p Form) write(w *bytes.Buffer, l Language) error { return write(w, l, "form", p) }

func (p Field) write(w *bytes.Buffer, l Language) error {
	if p.Input == nil {
		p.Input = TextInput{}
	}
	return write(w, l, "field", p)
}

// Uploads tells that a file goes along.
func (p Form) Uploads() (files bool) {
	inside(p.Parts, func(part Part) {
		if f, is := part.(Field); is && f.Input != nil {
			files = files || f.Input.kind() == "file"
		}
	})
	return files
}

// Type is what HTML calls the inputs of a choice.
func (p Field) Type() string {
	if p.Input.kind() == "check" {
		return "checkbox"
	}
	return "radio"
}

// ID is where the field is on its page: of several inputs, the first.
func (p Field) ID() string { return "f-" + p.Name }

// Group tells that there are several inputs.
func (p Field) Group() bool {
	switch p.Input.(type) {
	case DateInput, RadioInput, CheckInput:
		return true
	}
	return false
}

// Described are the places of what else is said of the field, for those who hear it.
func (p Field) Described() string {
	var at []string
	if p.Hint != "" {
		at = append(at, p.ID()+"-hint")
	}
	if p.Error != "" {
		at = append(at, p.ID()+"-error")
	}
	return strings.Join(at, " ")
}

// At is where the input of that number is, from 0.
func (p Field) At(n int) string {
	if n == 0 {
		return p.ID()
	}
	return p.ID() + "-" + strconv.Itoa(n+1)
}

// Asked are the three parts of a day, for templates.
func (i DateInput) Asked() []struct {
	Name, Value string
	Width       int
} {
	return []struct {
		Name, Value string
		Width       int
	}{{"day", i.Day, 2}, {"month", i.Month, 2}, {"year", i.Year, 4}}
}

// inputOf is the input of a field.
type inputOf struct{ Field }

func (p inputOf) write(w *bytes.Buffer, l Language) error {
	return write(w, l, "input "+p.Input.kind(), p.Field)
}

// fieldError is something that is wrong on a page.
type fieldError struct{ Address, Text string }

// errorsIn are all things that are wrong, in the order of the page.
func errorsIn(parts []Part) (all []fieldError) {
	inside(parts, func(p Part) {
		if f, is := p.(Field); is && f.Error != "" {
			all = append(all, fieldError{"#" + f.ID(), f.Error})
		}
	})
	return all
}

// What can be wrong with a day that somebody typed.
var (
	ErrNoDate  = errors.New("look: no day is filled in")
	ErrBadDate = errors.New("look: there is no such day")
)

// ReadDate is what was filled in into a DateInput, to be shown again as it is or read by At.
func ReadDate(form url.Values, name string) DateInput {
	return DateInput{form.Get(name + "-day"), form.Get(name + "-month"), form.Get(name + "-year")}
}

// DateOf is an input with that day filled in.
func DateOf(day time.Time) DateInput {
	y, m, d := day.In(amsterdam).Date()
	return DateInput{strconv.Itoa(d), strconv.Itoa(int(m)), strconv.Itoa(y)}
}

// At is when that day begins in Amsterdam. The error is ErrNoDate or ErrBadDate.
func (i DateInput) At() (time.Time, error) {
	day, month, year := strings.TrimSpace(i.Day), strings.TrimSpace(i.Month), strings.TrimSpace(i.Year)
	if day == "" && month == "" && year == "" {
		return time.Time{}, ErrNoDate
	}
	d, err1 := strconv.ParseUint(day, 10, 8)
	m, err2 := strconv.ParseUint(month, 10, 8)
	y, err3 := strconv.ParseUint(year, 10, 16)
	if errors.Join(err1, err2, err3) != nil || len(year) != 4 || y < 1000 {
		return time.Time{}, ErrBadDate
	}
	at := time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, amsterdam)
	if at.Day() != int(d) || at.Month() != time.Month(m) {
		return time.Time{}, ErrBadDate // 31 April would be 1 May
	}
	return at, nil
}
