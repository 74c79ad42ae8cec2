// Package explain tells an integrator who knows no SAML what the messages of one log-in say:
// decoded, line by line, with every signature checked and everything opened that somebody in
// the play can open.
//
// It owns the words in which messages are explained and the page they stand on. It never
// decides anything: what it is given may be altered, cut off or made to harm, is explained
// as far as it can be read, and is not believed. It does no XML cryptography of its own
// (package xmlsec does), fetches nothing and reads no clock; its functions may be called
// from any number of goroutines.
package explain

import (
	"crypto/sha1"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// Message is one message as it went over the wire.
type Message struct {
	At       time.Time
	From, To string // an EntityID of the cast, or any other name: browser
	Binding  string // how it travelled, in words
	What     string // what its sender calls it; "": what it turns out to be

	// Raw is XML, that in base64, or the address or the form that a browser brought.
	Raw []byte
}

// Party is somebody whose signatures can be checked, and with whose keys can be read what is
// encrypted to him: a sandbox plays everybody, so it may.
type Party struct {
	Entity  string // EntityID
	Name    string // for people; "": the EntityID
	Signing []xmlsec.Key
	Openers []xmlsec.Opener
}

// Cast is everybody who takes part.
type Cast []Party

// find gives the party with that EntityID, or nil.
func (c Cast) find(entity string) *Party {
	for i := range c {
		if c[i].Entity == entity {
			return &c[i]
		}
	}
	return nil
}

// name is how people call whoever has that EntityID or name.
func (c Cast) name(entity string) string {
	if p := c.find(entity); p != nil && p.Name != "" {
		return p.Name
	}
	return entity
}

// signing gives the keys that may have signed in that name.
func (c Cast) signing(issuer string) []xmlsec.Key {
	if p := c.find(issuer); p != nil {
		return p.Signing
	}
	return nil
}

// source finds whose artifacts have that SourceID. It is that of every EntityID, also of a
// provider's that is no URN of the scheme.
func (c Cast) source(id [sha1.Size]byte) *Party {
	for i := range c {
		if sha1.Sum([]byte(c[i].Entity)) == id {
			return &c[i]
		}
	}
	return nil
}

// Explained is a message with its explanation. It marshals to JSON.
type Explained struct {
	Number  int       `json:"number"` // in the log-in, from 1
	At      time.Time `json:"at"`
	From    string    `json:"from"` // names for people
	To      string    `json:"to"`
	Binding string    `json:"binding,omitempty"`
	What    string    `json:"what,omitempty"`

	Kind    Kind        `json:"kind"`
	Title   look.Text   `json:"title"`
	Purpose look.Text   `json:"purpose"`           // what it is for
	Checks  []look.Text `json:"checks,omitempty"`  // who must check what
	Around  []look.Text `json:"around,omitempty"`  // what it was wrapped in, outermost first
	Trouble []look.Text `json:"trouble,omitempty"` // why not everything could be read

	Parameters []Line      `json:"parameters,omitempty"` // of an address or a form
	Lines      []Line      `json:"lines,omitempty"`      // of the XML, in document order
	Signatures []Signature `json:"signatures,omitempty"`
	Sealed     []Sealed    `json:"sealed,omitempty"`   // what is encrypted
	Provider   []Reading   `json:"provider,omitempty"` // what a provider reads in it

	Raw     string `json:"raw"`               // as it travelled; cut where it is very long
	Decoded string `json:"decoded,omitempty"` // the XML, where it travelled in another form
}

// Line is one element or attribute. Closing tags and namespace declarations are left out.
type Line struct {
	Depth   int       `json:"depth"`
	XML     string    `json:"xml"`
	Meaning look.Text `json:"meaning,omitzero"`
	Source  string    `json:"source,omitempty"` // where the meaning is from
	Notes   []Note    `json:"notes,omitempty"`
	Inside  []Line    `json:"inside,omitempty"` // details of signatures and encryption
}

// Note is what can be said of a value in this very message.
type Note struct {
	look.Text
	Tone Tone `json:"tone,omitempty"`
}

// Tone is whether a note tells of something good or bad.
type Tone string

// The tones. The zero value is neither.
const (
	Good Tone = "good"
	Bad  Tone = "bad"
)

// Explain explains the messages of one log-in, in the order in which they went over the wire.
// One message refers to another, so they are explained together. Signatures and times are
// judged at the moment of the message. It never fails: what cannot be read is said so.
func Explain(cast Cast, messages ...Message) []Explained {
	read := make([]*reading, len(messages))
	known := newKnown()
	for i, m := range messages {
		read[i] = newReading(cast, m, i+1, known)
		known.add(read[i])
	}
	explained := make([]Explained, len(messages))
	for i := range read {
		explained[i] = read[i].explain()
	}
	return explained
}

// reading is a message on its way to being explained.
type reading struct {
	number  int // in the log-in, from 1
	cast    Cast
	message Message
	known   *known

	around     []look.Text
	trouble    []look.Text
	parameters []parameter
	document   []byte // the XML; nil if there is none
	travelled  bool   // the XML is not what travelled, but was made of it
	root       *element

	verdicts   map[*element]*verdict // by signed element
	signatures []Signature
	sealed     []Sealed
	openings   map[*element]*Sealed // by encrypted element
}

func newReading(cast Cast, m Message, number int, k *known) *reading {
	r := &reading{number: number, cast: cast, message: m, known: k, verdicts: map[*element]*verdict{}, openings: map[*element]*Sealed{}}
	r.decode()
	if r.document != nil {
		var trouble look.Text
		if r.root, trouble = readTree(r.document); !trouble.IsZero() {
			r.trouble = append(r.trouble, trouble)
		}
	}
	return r
}

func (r *reading) explain() Explained {
	r.judge()
	message := r.unwrap()
	kind := r.kindOf(message)
	words := kinds[kind]
	e := Explained{
		Number: r.number, At: r.message.At, From: r.cast.name(r.message.From), To: r.cast.name(r.message.To),
		Binding: r.message.Binding, What: r.message.What,
		Kind: kind, Title: words.title, Purpose: words.purpose, Checks: words.checks,
		Around: r.around, Trouble: r.trouble, Signatures: r.signatures, Sealed: r.sealed,
		Raw: cut(string(r.message.Raw), longestRaw), Parameters: r.parameterLines(),
	}
	if r.travelled {
		e.Decoded = cut(string(r.document), longestRaw)
	}
	if r.root != nil {
		e.Lines = r.lines()
		e.Provider = r.provider(kind, message)
	}
	return e
}
