package explain

// known is what the messages of a log-in have shown so far: one refers to another by ID, and
// by the signature under it.
type known struct {
	ids        map[string]mention
	signatures map[string]mention
}

// mention is where something was first seen.
type mention struct {
	message int
	element string
	by      string // its issuer, for people
}

func newKnown() *known { return &known{map[string]mention{}, map[string]mention{}} }

// add remembers what a message shows.
func (k *known) add(r *reading) {
	r.root.each(func(e *element) {
		if id := e.attr("ID"); id != "" && knownSpaces[e.space] {
			k.remember(k.ids, id, r.mentioned(e))
		}
		if e.is("SignatureValue") && e.parent != nil && e.parent.parent != nil {
			k.remember(k.signatures, withoutSpace(e.value()), r.mentioned(e.parent.parent))
		}
	})
}

func (k *known) remember(in map[string]mention, what string, m mention) {
	if _, seen := in[what]; !seen {
		in[what] = m
	}
}

func (r *reading) mentioned(e *element) mention {
	m := mention{message: r.number, element: e.local}
	if issuer := e.child("Issuer"); issuer != nil {
		m.by = cut(r.cast.name(issuer.value()), longestNote)
	}
	return m
}

// reference tells what has that ID.
func (k *known) reference(id string) []Note {
	m, ok := k.ids[id]
	if !ok {
		return note(say("Dit ID komt in deze inlog verder niet voor.", "This ID does not occur anywhere else in this log-in."))
	}
	return note(say("Dat is %s van %s, in bericht %d.", "That is %s of %s, in message %d.", m.element, m.by, m.message))
}

// again tells where an ID was seen before: an assertion is handed on, a message is not.
func (r *reading) again(e *element) []Note {
	m, ok := r.known.ids[e.attr("ID")]
	switch {
	case !ok || m.message == r.number:
		return nil
	case e.is("Assertion"):
		return note(say("Deze verklaring stond al in bericht %d.", "This assertion was in message %d already.", m.message))
	}
	return bad(say("Dit ID stond al in bericht %d. De ontvanger weigert wat hij al eens kreeg.",
		"This ID was in message %d already. The receiver refuses what it got before.", m.message))
}

// linked tells under what that signature stands.
func (k *known) linked(value string) []Note {
	m, ok := k.signatures[withoutSpace(value)]
	if !ok {
		return bad(say("Deze handtekening staat in deze inlog onder geen enkele verklaring.", "In this log-in this signature is under no assertion."))
	}
	return good(say("Klopt: het is de handtekening onder %s van %s, in bericht %d.", "Right: it is the signature under %s of %s, in message %d.", m.element, m.by, m.message))
}
