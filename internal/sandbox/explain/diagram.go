package explain

import (
	"slices"

	"github.com/mandated/mandated/internal/look"
)

// diagram is a log-in as a drawing: a column for everybody, an arrow for each message.
type diagram struct {
	Width, Height int
	Foot          int // where the columns end
	Columns       []column
	Arrows        []arrow
}

type column struct {
	X     int
	Name  []string // in lines that fit
	First int      // where its first line stands
}

type arrow struct {
	Number       int
	From, To     int // where it begins and ends
	Middle, Y    int
	Label        string
	Names        string // from and to, for those who hear the drawing
	Bad          bool   // a signature does not hold
	Start, Above int    // where its number and its label stand
}

// Measures of the drawing, in its own units.
const (
	columnWidth = 170
	rowHeight   = 54
	headHeight  = 64
	lineHeight  = 16
	nameWidth   = 20 // letters in a line of a column's name
	namesLines  = 3
	labelWidth  = 24 // letters of a label for each column that the arrow spans
	loop        = 60 // length of an arrow of somebody to himself
)

func draw(messages []Explained, language look.Language) diagram {
	names := columnsOf(messages)
	d := diagram{Width: max(len(names), 1) * columnWidth, Foot: headHeight + len(messages)*rowHeight + 10}
	d.Height = d.Foot + 10
	for i, n := range names {
		lines := wrap(n, nameWidth, namesLines)
		d.Columns = append(d.Columns, column{X: i*columnWidth + columnWidth/2, Name: lines, First: headHeight - 14 - (len(lines)-1)*lineHeight})
	}
	for i, m := range messages {
		d.Arrows = append(d.Arrows, arrowOf(m, i, names, language))
	}
	return d
}

// columnsOf are those who send or receive, in the order in which they first do.
func columnsOf(messages []Explained) (names []string) {
	for _, m := range messages {
		for _, n := range []string{m.From, m.To} {
			if !slices.Contains(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

func arrowOf(m Explained, row int, names []string, language look.Language) arrow {
	at := func(name string) int { return slices.Index(names, name)*columnWidth + columnWidth/2 }
	a := arrow{Number: m.Number, From: at(m.From), To: at(m.To), Y: headHeight + (row+1)*rowHeight - 12, Names: m.From + " → " + m.To}
	if a.From == a.To {
		a.To += loop
	}
	spans := max(abs(a.To-a.From)/columnWidth, 1)
	a.Middle, a.Above, a.Start = (a.From+a.To)/2, a.Y-16, a.From
	a.Label = shorten(labelOf(m, language), spans*labelWidth-4)
	a.Bad = slices.ContainsFunc(m.Signatures, func(s Signature) bool { return !s.Holds })
	if a.To > a.From {
		a.To -= 3
	} else {
		a.To += 3
	}
	return a
}

// Line is where so many lines below the first the name goes on.
func (c column) Line(i int) int { return c.First + i*lineHeight }

// Left, Top and Wide are of the field around an arrow that can be pointed at.
func (a arrow) Left() int { return min(a.From, a.To) - 14 }
func (a arrow) Top() int  { return a.Y - 30 }
func (a arrow) Wide() int { return abs(a.To-a.From) + 28 }

// Digit is where its number stands.
func (a arrow) Digit() int { return a.Y + 4 }

func abs(n int) int { return max(n, -n) }

// labelOf is what stands at an arrow: a few words.
func labelOf(m Explained, language look.Language) string {
	if m.What != "" {
		return m.What
	}
	return labels[m.Kind].In(language)
}

// labels are kinds of messages in two or three words.
var labels = map[Kind]look.Text{
	KindAuthnRequest:    {NL: "inlogverzoek", EN: "request to log in"},
	KindLogin:           {NL: "wie inlogde", EN: "who logged in"},
	KindAuthorize:       {NL: "mag dit?", EN: "may he do this?"},
	KindConfirm:         {NL: "klopt de keten?", EN: "does the chain hold?"},
	KindRecheck:         {NL: "geldt het nog?", EN: "does it still hold?"},
	KindStatement:       {NL: "uitspraak", EN: "decision"},
	KindCombination:     {NL: "antwoord", EN: "answer"},
	KindRefusal:         {NL: "nee", EN: "no"},
	KindResponse:        {NL: "antwoord", EN: "answer"},
	KindResolve:         {NL: "inwisselen", EN: "exchange"},
	KindNothingResolved: {NL: "niets", EN: "nothing"},
	KindArtifact:        {NL: "artifact", EN: "artifact"},
	KindFault:           {NL: "foutmelding", EN: "error"},
	KindChainQuestion:   {NL: "welke bedrijven?", EN: "which companies?"},
	KindChainAnswer:     {NL: "bedrijven", EN: "companies"},
	KindOther:           {NL: "onbekend", EN: "unknown"},
	KindUnreadable:      {NL: "onleesbaar", EN: "unreadable"},
}

// shorten keeps so many letters.
func shorten(s string, letters int) string {
	runes := []rune(cut(s, longestNote))
	if len(runes) <= letters {
		return string(runes)
	}
	return string(runes[:letters-1]) + "…"
}

// wrap breaks a name into lines.
func wrap(s string, letters, most int) (lines []string) {
	runes := []rune(cut(s, longestNote))
	for len(runes) > letters && len(lines) < most-1 {
		at := letters
		for i := letters; i > 0; i-- {
			if runes[i] == ' ' || runes[i] == '-' || runes[i] == ':' {
				at = i
				break
			}
		}
		if runes[at] != ' ' && at < letters {
			at++ // the mark stays at the end of its line
		}
		lines = append(lines, string(runes[:at]))
		for runes = runes[at:]; len(runes) > 0 && runes[0] == ' '; {
			runes = runes[1:]
		}
	}
	return append(lines, shorten(string(runes), letters))
}
