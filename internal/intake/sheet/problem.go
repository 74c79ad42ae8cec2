package sheet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Language is one in which people are answered.
type Language string

// The languages there are.
const (
	English Language = "en"
	Dutch   Language = "nl"
)

// Book is what a package says to people: by language and code, in plain words (B1). In
// a sentence {name} stands for an argument, and [name] for a column as the file at hand
// calls it.
type Book map[Language]map[string]string

// Phrase is an argument that is itself in the book: a word that differs by language.
type Phrase string

// Problem is what is wrong with a line, or with a file as a whole, and what somebody
// without technical knowledge can do about it. Programs read the code, which does not
// change when a sentence becomes better.
type Problem struct {
	Code   string
	Column string         // where to look; empty if it is the line or the file as a whole
	Line   int            // where to look in a file that is refused as a whole; 0: nowhere in particular
	Args   map[string]any // what the sentence mentions. Never the number of a person or a company

	// Headings are the columns as the file calls them; one that is not here has the
	// name of the manual.
	Headings map[string]string

	book Book
}

// Problem makes one of which the sentences are in the book.
func (b Book) Problem(code, column string, args map[string]any) *Problem {
	return &Problem{Code: code, Column: column, Args: args, book: b}
}

// Error is the English sentence.
func (p *Problem) Error() string { return p.In(English) }

// In says it in a language, or in English if it is not one of ours.
func (p *Problem) In(l Language) string {
	if l != Dutch {
		l = English
	}
	sentence := p.fill(p.book[l][p.Code], l)
	if p.Column != "" {
		sentence = book[l]["in-column"] + p.heading(p.Column) + ": " + sentence
	}
	if p.Line > 0 {
		sentence = fmt.Sprintf("%s%d: %s", book[l]["on-line"], p.Line, sentence)
	}
	return sentence
}

// fill puts arguments and headings in their places. What it puts there is not filled
// again: it may hold brackets of its own.
func (p *Problem) fill(sentence string, l Language) string {
	var filled strings.Builder
	for {
		at := strings.IndexAny(sentence, "{[")
		if at < 0 {
			return filled.String() + sentence
		}
		end := at + strings.IndexAny(sentence[at:], "}]")
		if name := sentence[at+1 : end]; sentence[at] == '[' {
			filled.WriteString(sentence[:at] + p.heading(name))
		} else {
			filled.WriteString(sentence[:at] + p.arg(name, l))
		}
		sentence = sentence[end+1:]
	}
}

func (p *Problem) arg(name string, l Language) string {
	if phrase, ok := p.Args[name].(Phrase); ok {
		return p.fill(p.book[l][string(phrase)], l)
	}
	return fmt.Sprint(p.Args[name])
}

func (p *Problem) heading(column string) string {
	if heading, ok := p.Headings[column]; ok {
		return heading
	}
	return column
}

// Gaps names every code that is not said in both languages, that mentions other things
// in one than in the other, or of which a bracket is missing. Each package with a book
// tests that there are none.
func (b Book) Gaps() (codes []string) {
	for code, sentence := range b[English] {
		other := b[Dutch][code]
		if other == "" || sentence == "" || mentions(sentence) != mentions(other) || !closed(sentence) || !closed(other) {
			codes = append(codes, code)
		}
	}
	for code := range b[Dutch] {
		if b[English][code] == "" {
			codes = append(codes, code)
		}
	}
	return codes
}

// closed tells whether every bracket of a sentence is one of a pair.
func closed(sentence string) bool {
	return !strings.ContainsAny(mentioned.ReplaceAllString(sentence, ""), "{}[]")
}

var mentioned = regexp.MustCompile(`\{\w+\}|\[\w+\]`)

// mentions are the arguments and columns in a sentence, in any order and each once.
func mentions(sentence string) string {
	list := mentioned.FindAllString(sentence, -1)
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "")
}
