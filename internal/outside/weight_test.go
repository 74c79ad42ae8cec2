package outside_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/saml"
	"github.com/mandated/mandated/pkg/xmlsec"
)

// heavy is a message that is made to cost much: an honest one with something heavy in it.
type heavy struct {
	name string
	make func(*letter) []byte
	want verdict
}

// stuffed puts text at the beginning of the query's Extensions, inside what is signed.
// Whoever has seen one honest message can make these.
func stuffed(text string) func(*letter) []byte {
	return func(l *letter) []byte {
		m := l.bytes()
		at := bytes.Index(m, []byte("<samlp:Extensions"))
		at += bytes.IndexByte(m[at:], '>') + 1
		return bytes.Join([][]byte{m[:at], []byte(text), m[at:]}, nil)
	}
}

// signedStuffed does the same before the broker signs: a broker that has turned.
func signedStuffed(text string) func(*letter) []byte {
	return func(l *letter) []byte {
		child(l.request(), "Subject").AddChild(snippet(`<x:x xmlns:x="urn:example:x">` + text + `</x:x>`))
		return l.reseal().bytes()
	}
}

func nested(n int) string { return strings.Repeat("<a>", n) + strings.Repeat("</a>", n) }

func attributes(n, size int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` a%d="%s"`, i, strings.Repeat("x", size))
	}
	return b.String()
}

func namespaces(from, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ` xmlns:n%d="urn:n:%d"`, from+i, from+i)
	}
	return b.String()
}

// overLimit are messages over one limit, by far and by one.
func overLimit() []heavy {
	return []heavy{
		{"65 deep", stuffed(nested(61)), fault(xmlsec.ErrTooDeep)},
		{"30,000 deep", stuffed(nested(30_000)), fault(xmlsec.ErrTooDeep)},
		{"80,000 opened and never closed", func(*letter) []byte { return bytes.Repeat([]byte("<a>"), 80_000) }, fault(xmlsec.ErrTooDeep)},
		{"1,001 elements", stuffed(strings.Repeat("<a/>", 1_000)), fault(xmlsec.ErrTooMany)},
		{"50,000 elements", stuffed(strings.Repeat("<a/>", 50_000)), fault(xmlsec.ErrTooMany)},
		{"65 attributes", stuffed("<a" + attributes(65, 1) + "/>"), fault(xmlsec.ErrTooMany)},
		{"850 elements of 40 attributes", stuffed(strings.Repeat("<a"+attributes(40, 0)+"/>", 850)), fault(xmlsec.ErrTooMany)},
		{"850 times 12 namespaces", stuffed(strings.Repeat("<a"+namespaces(0, 12)+"/>", 850)), fault(xmlsec.ErrTooMany)},
		{"20,000 attributes", stuffed("<a" + attributes(20_000, 0) + "/>"), fault(xmlsec.ErrTooMany)},
		{"65 namespaces", stuffed("<a" + namespaces(0, 65) + "/>"), fault(xmlsec.ErrTooMany)},
		{"6,000 namespaces", stuffed("<a" + namespaces(0, 6_000) + "/>"), fault(xmlsec.ErrTooMany)},
		{"80 namespaces on the way down", stuffed("<a" + namespaces(0, 40) + "><a" + namespaces(40, 40) + "/></a>"), fault(xmlsec.ErrTooMany)},
		{"20,000 comments", stuffed(strings.Repeat("<!---->", 20_000)), fault(xmlsec.ErrComment)},
		{"one comment of 200 KiB", stuffed("<!--" + strings.Repeat("x", 200<<10) + "-->"), fault(xmlsec.ErrComment)},
		{"20,000 instructions", stuffed(strings.Repeat("<?x?>", 20_000)), fault(xmlsec.ErrInstruction)},
		{"20,000 CDATA sections", stuffed(strings.Repeat("<![CDATA[]]>", 15_000)), fault(xmlsec.ErrCDATA)},
		{"an attribute of 16 KiB and one", stuffed(`<a b="` + strings.Repeat("x", 16<<10+1) + `"/>`), fault(xmlsec.ErrLongAttribute)},
		{"an attribute of 200 KiB", stuffed(`<a b="` + strings.Repeat("x", 200<<10) + `"/>`), fault(xmlsec.ErrLongAttribute)},
		{"a name of 200 KiB", stuffed("<" + strings.Repeat("a", 100<<10) + "/>"), fault(xmlsec.ErrSignature)},
		{"a namespace of 200 KiB", stuffed(`<a xmlns:n="urn:` + strings.Repeat("x", 200<<10) + `"/>`), fault(xmlsec.ErrLongAttribute)},
		{"an ID of 15 KiB", stuffed(`<a ID="` + strings.Repeat("x", 15<<10) + `"/>`), fault(xmlsec.ErrBadID)},
		{"900 signatures", stuffed(strings.Repeat(`<s:Signature xmlns:s="`+spaceDS+`"/>`, 800)), fault(xmlsec.ErrSignaturePlace)},
		{"half a tag of 200 KiB", func(*letter) []byte { return []byte("<a" + strings.Repeat(" ", 200<<10)) }, fault(xmlsec.ErrMalformed)},
		{"many ampersands", stuffed("<a>" + strings.Repeat("&", 200<<10) + "</a>"), fault(xmlsec.ErrEntity)},
	}
}

// atLimit are messages that pass the gate: as heavy as can be, and refused only by what
// costs most.
func atLimit() []heavy {
	wide := strings.Repeat("<a"+attributes(40, 0)+"/>", 110)
	spaced := "<a" + namespaces(0, 50) + ">" + strings.Repeat("<a><n1:b n2:c=\"\" n3:d=\"\"/></a>", 400) + "</a>"
	deep := strings.Repeat(nested(58), 14)
	repeated := strings.Repeat("<a"+namespaces(0, 12)+"/>", 330)
	return []heavy{
		{"110 elements of 40 attributes", stuffed(wide), fault(xmlsec.ErrSignature)},
		{"800 elements under 50 namespaces", stuffed(spaced), fault(xmlsec.ErrSignature)},
		{"14 ladders of 58", stuffed(deep), fault(xmlsec.ErrSignature)},
		{"330 times 12 namespaces", stuffed(repeated), fault(xmlsec.ErrSignature)},
		{"200 KiB of text", stuffed("<a>" + strings.Repeat("x", 200<<10) + "</a>"), fault(xmlsec.ErrSignature)},
		{"40,000 references", stuffed("<a>" + strings.Repeat("&amp;", 40_000) + "</a>"), fault(xmlsec.ErrSignature)},
		{"15 attributes of 15 KiB", stuffed(strings.Repeat(`<a b="`+strings.Repeat("x", 15<<10)+`"/>`, 14)), fault(xmlsec.ErrSignature)},
	}
}

// turned are messages that a known broker has signed as they are, to make us work; only
// the action in them is wrong.
func turned() []heavy {
	action := func(make func(*letter) []byte) func(*letter) []byte {
		return func(l *letter) []byte {
			setText(child(l.attribute(etoegang.AttributeActionID), "AttributeValue"), "Wait")
			return make(l)
		}
	}
	return []heavy{
		{"signed: 110 elements of 40 attributes", action(signedStuffed(strings.Repeat("<x:a"+attributes(40, 0)+"/>", 110))), refused("malformed")},
		{"signed twice: 110 elements of 38 attributes", func(l *letter) []byte {
			a := l.assertion()
			setText(child(a, "Issuer"), l.stage.net.Broker.Entity.String())
			a.AddChild(snippet(`<x:x xmlns:x="urn:example:x">` + strings.Repeat("<x:a"+attributes(38, 0)+"/>", 110) + `</x:x>`))
			l.brokerPen().sign(a)
			return l.reseal().bytes()
		}, refused("assertions")},
		{"signed: 800 elements under 50 namespaces", action(signedStuffed("<x:a" + namespaces(0, 50) + ">" + strings.Repeat("<x:a><n1:b n2:c=\"\" n3:d=\"\"/></x:a>", 400) + "</x:a>")), refused("malformed")},
		{"signed: 330 times 12 namespaces", action(signedStuffed(strings.Repeat("<x:a"+namespaces(0, 12)+"/>", 330))), refused("malformed")},
		{"signed: 200 KiB of text", action(signedStuffed("<x:a>" + strings.Repeat("x", 200<<10) + "</x:a>")), refused("malformed")},
	}
}

func TestHeavyMessages(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	var list []attack
	for _, h := range append(append(overLimit(), atLimit()...), turned()...) {
		list = append(list, attack{h.name, func(l *letter) []byte {
			m := h.make(l)
			if len(m) > 256<<10 {
				t.Errorf("%s is %d bytes, more than a message may be", h.name, len(m))
			}
			return m
		}, h.want})
	}
	s.attacks(t, list)
}

// receiver is what the daemon judges messages with, without HTTP around it.
func (s *stage) receiver() *saml.Receiver {
	scheme := s.net.Scheme.Signer().Certificate
	trust := saml.Trust{}
	trust.Certificates = append(trust.Certificates, scheme)
	var all []saml.Participant
	files := must[[]string](s.t)(filepath.Glob(filepath.Join(s.net.Folder, "metadata-*.xml")))
	for _, file := range files {
		participants, _, err := saml.ParseMetadata(must[[]byte](s.t)(os.ReadFile(file)), trust, morning)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, participants...)
	}
	return &saml.Receiver{
		Self: s.net.First.Entity, Addresses: saml.Addresses{Queries: s.net.First.Address}, Directory: saml.NewDirectory(all...),
		Openers: s.net.First.Openers(), Ages: saml.DefaultAges, Leniency: func(etoegang.EntityID) saml.Leniency { return saml.Leniency{} },
	}
}

// No hostile message, whatever its size, takes more than 16 MiB of memory, with either engine.
func TestHostileMessagesAreLight(t *testing.T) {
	s := newStage(t, harness.Options{})
	r, honest := s.receiver(), s.letter(s.anna)
	for _, engine := range []xmlsec.Engine{xmlsec.Fast, xmlsec.Reference} {
		r.Verifier.Engine = engine
		worst, most := "", uint64(0)
		for _, h := range slices.Concat(overLimit(), atLimit(), turned()) {
			message := h.make(honest.copy())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _ = r.Receive(message, morning)
			runtime.ReadMemStats(&after)
			if taken := after.TotalAlloc - before.TotalAlloc; taken > most {
				worst, most = h.name, taken
			}
		}
		t.Logf("%v: at most %d KB, by %s", engine, most>>10, worst)
		if most > 16<<20 {
			t.Errorf("%v: %s takes %d MB", engine, worst, most>>20)
		}
	}
}

// What one hostile message costs, up to the limit of its size (goal: under 50 ms of one
// core and 16 MiB).
func BenchmarkHostile(b *testing.B) {
	s := newStage(b, harness.Options{})
	r, honest := s.receiver(), s.letter(s.anna)
	all := append([]heavy{{name: "an honest one", make: func(l *letter) []byte { return l.bytes() }}}, overLimit()...)
	for _, engine := range []xmlsec.Engine{xmlsec.Fast, xmlsec.Reference} {
		r.Verifier.Engine = engine
		for _, h := range slices.Concat(all, atLimit(), turned()) {
			message := h.make(honest.copy())
			b.Run(engine.String()+"/"+h.name, func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(len(message)))
				for b.Loop() {
					_, _ = r.Receive(message, morning)
				}
			})
		}
	}
}
