package explain

import (
	"strconv"
	"strings"
	"time"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/saml"
)

// Notes tell what can be said of a value in this very message and this very log-in.

func note(t look.Text) []Note { return []Note{{Text: t}} }
func good(t look.Text) []Note { return []Note{{t, Good}} }
func bad(t look.Text) []Note  { return []Note{{t, Bad}} }

// who tells who has that EntityID.
func (r *reading) who(entity string) []Note {
	role, known := roles[roleIn(entity)]
	name := r.cast.name(entity)
	switch {
	case known && name != entity && name != role.NL && name != role.EN:
		return note(say("Dit is %s, een %s.", "This is %s: %s.", name, role))
	case known:
		return note(say("Een %s.", "In this role: %s.", role))
	case name != entity:
		return note(say("Dit is %s.", "This is %s.", name))
	}
	return nil
}

// service tells whose service it is.
func (r *reading) service(id string) []Note {
	parsed, err := etoegang.ParseServiceID(id)
	if err != nil {
		return bad(say("Dit is geen ServiceID: urn:etoegang:DV:<OIN>:services:<nummer>.", "This is no ServiceID: urn:etoegang:DV:<OIN>:services:<number>."))
	}
	for _, p := range r.cast {
		if e, err := etoegang.ParseEntityID(p.Entity); err == nil && e.Role() == etoegang.Provider && e.OIN() == parsed.Provider() {
			return note(say("Een dienst van %s.", "A service of %s.", r.cast.name(p.Entity)))
		}
	}
	return nil
}

func level(urn string) []Note {
	l, err := etoegang.ParseAssuranceLevel(urn)
	if err != nil {
		return bad(say("Dit is geen betrouwbaarheidsniveau van het afsprakenstelsel.", "This is no level of assurance of the scheme."))
	}
	return note(say("Dit is %s.", "This is %s.", levels[l]))
}

func decided(decision string) []Note {
	switch decision {
	case "Permit":
		return good(say("Ja: deze persoon mag dit.", "Yes: this person may do this."))
	case "Deny":
		return bad(say("Nee: deze persoon mag dit niet.", "No: this person may not do this."))
	}
	return bad(say("Geen ja. Alleen Permit is ja.", "Not a yes. Only Permit is a yes."))
}

// refused says reason codes in words.
func refused(codes string) []Note {
	var notes []Note
	for _, code := range strings.Fields(cut(codes, longestValue)) {
		if t, ok := refusals[code]; ok {
			notes = append(notes, Note{say("%s: %s.", "%s: %s.", code, t), Bad})
		}
	}
	return notes
}

// artifact tells whose artifact it is.
func (r *reading) artifact(text string) []Note {
	a, err := saml.ParseArtifact(text)
	if err != nil {
		return bad(say("Dit is geen artifact van type 0x0004.", "This is no artifact of type 0x0004."))
	}
	issuer := r.cast.source(a.Source)
	if issuer == nil {
		return bad(say("De SourceID %x is van niemand die wij kennen.", "The SourceID %x is of nobody we know.", a.Source))
	}
	return note(say("De SourceID %x is de SHA-1 van de EntityID van %s: daar kan het worden ingewisseld (adres nummer %d).",
		"The SourceID %x is the SHA-1 of the EntityID of %s: it can be exchanged there (address number %d).", a.Source, r.cast.name(issuer.Entity), a.Index))
}

// skew is how much clocks may differ (eHerkenning interface specifications, "Synchronize
// system clocks").
const skew = 2 * time.Second

func parseMoment(text string) (time.Time, []Note) {
	at, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err != nil:
		return at, bad(say("Dit is geen tijdstip.", "This is not a moment."))
	case !strings.HasSuffix(text, "Z"):
		return at, bad(say("Dit is geen UTC: het moet op Z eindigen.", "This is not UTC: it must end in Z."))
	}
	return at, nil
}

// moment tells how long before the message something was.
func (r *reading) moment(text string) []Note {
	at, wrong := parseMoment(text)
	if wrong != nil || r.message.At.IsZero() {
		return wrong
	}
	ago := r.message.At.Sub(at)
	switch {
	case ago < -skew:
		return bad(say("Dit is %s na het moment waarop het bericht reisde. Dat kan niet.", "This is %s after the moment at which the message travelled. That cannot be.", span(-ago)))
	case ago < 2*time.Second:
		return note(say("Op het moment dat het bericht reisde.", "At the moment at which the message travelled."))
	}
	return note(say("%s voordat het bericht reisde.", "%s before the message travelled.", span(ago)))
}

// limit tells whether the message travelled within a limit of time.
func (r *reading) limit(name, text string) []Note {
	at, wrong := parseMoment(text)
	if wrong != nil || r.message.At.IsZero() {
		return wrong
	}
	left := at.Sub(r.message.At)
	if name == "NotBefore" {
		if left > skew {
			return bad(say("Nog niet geldig: pas %s nadat het bericht reisde.", "Not valid yet: only %s after the message travelled.", span(left)))
		}
		return good(say("Geldig: dit moment was al voorbij.", "Valid: this moment had passed."))
	}
	if left+skew <= 0 {
		return bad(say("Verlopen: %s voordat het bericht reisde.", "Expired: %s before the message travelled.", span(-left)))
	}
	return good(say("Geldig: nog %s op het moment dat het bericht reisde.", "Valid: for another %s when the message travelled.", span(left)))
}

// span is a length of time in words.
func span(d time.Duration) look.Text {
	d = max(d, 0).Round(time.Second)
	days, hours, minutes, seconds := d/(24*time.Hour), d/time.Hour%24, d/time.Minute%60, d/time.Second%60
	var nl, en []string
	add := func(n time.Duration, one, many, oneEN, manyEN string) {
		if n == 0 || len(nl) == 2 {
			return
		}
		count := func(one, many string) string {
			if n == 1 {
				return "1 " + one
			}
			return strconv.Itoa(int(n)) + " " + many
		}
		nl, en = append(nl, count(one, many)), append(en, count(oneEN, manyEN))
	}
	add(days, "dag", "dagen", "day", "days")
	add(hours, "uur", "uur", "hour", "hours")
	add(minutes, "minuut", "minuten", "minute", "minutes")
	add(seconds, "seconde", "seconden", "second", "seconds")
	if len(nl) == 0 {
		return look.Text{NL: "0 seconden", EN: "0 seconds"}
	}
	return look.Text{NL: strings.Join(nl, " en "), EN: strings.Join(en, " and ")}
}

// signatureNotes tells whether the signature of an element holds.
func (r *reading) signatureNotes(e *element) []Note {
	v := r.verdicts[e.parent]
	switch {
	case v == nil:
		return bad(say("Niet gecontroleerd: hier hoort geen handtekening te staan.", "Not checked: no signature belongs here."))
	case v.Holds:
		return good(v.Why)
	}
	return bad(v.Why)
}

// notes tells what was found in what is encrypted.
func (s *Sealed) notes() []Note {
	if !s.Opened {
		return note(s.Why)
	}
	kind := same(short(s.Name))
	if t, ok := qualifiers[s.Name]; ok {
		kind = t
	}
	if s.Name == "" {
		kind = same(s.Element)
	}
	return []Note{{Text: s.Why}, {say("Geopend: %s %s", "Opened: %s %s", kind, strings.Join(s.Values, ", ")), Good}}
}
