package outside_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/mandated/mandated/pkg/harness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/saml"
)

// verdict is how an attack must end: refused by one defence, which is counted, and
// answered in one way.
type verdict struct {
	counted string // as in counts
	code    string // of a SOAP fault
	status  saml.Status
	word    string // StatusMessage
}

// fault is the verdict on what nobody known has sent.
func fault(by error) verdict {
	return verdict{counted: fmt.Sprintf("fault defence=%q", defence(by)), code: "soap:Client"}
}

// refused is the verdict on what a known sender should not have sent.
func refused(word string) verdict {
	status, ok := statuses[word]
	if !ok {
		panic("no status for " + word)
	}
	return verdict{counted: fmt.Sprintf("refusal why=%q", word), status: status, word: word}
}

// statuses is what a known sender is told with each word: "Requester" for his own fault,
// with the second level where the scheme has one that fits.
var statuses = map[string]saml.Status{
	"malformed":            saml.RequesterFailed,
	"version":              saml.RequesterFailed,
	"forbidden-content":    saml.RequesterFailed,
	"destination":          saml.RequesterFailed,
	"expired":              saml.RequesterUnsupported,
	"from-the-future":      saml.RequesterUnsupported,
	"consumer-service":     saml.RequesterFailed,
	"audience":             saml.RequesterFailed,
	"assertions":           saml.RequesterFailed,
	"assertion-validity":   saml.RequesterUnsupported,
	"subject-confirmation": saml.RequesterFailed,
	"not-this-register":    saml.RequesterUnsupported,
	"no-representation":    saml.RequesterUnsupported,
	"service-mismatch":     saml.RequesterFailed,
	"subject-mismatch":     saml.RequesterFailed,
	"assertion-link":       saml.RequesterFailed,
	"statement":            saml.RequesterFailed,
	"identifier":           saml.RequesterFailed,
	"intermediary-unclear": saml.RequesterFailed,
	"replayed":             saml.RequesterUnsupported,
}

// attack is one hostile message: what is done to an honest letter, and how it must end.
type attack struct {
	name string
	make func(*letter) []byte
	want verdict
}

// attacks plays a class of attacks, each on the letter of somebody who would be permitted
// and of somebody who would be denied. The honest letters themselves are sent last: they
// must be answered, or the attacks would prove nothing.
func (s *stage) attacks(t *testing.T, list []attack) {
	t.Helper()
	for _, who := range []mandate.Person{s.anna, s.bob} {
		honest := s.letter(who)
		for i, a := range list {
			if skipped(i) {
				continue
			}
			t.Run(a.name+", "+s.fate(who), func(t *testing.T) {
				s.repels(t, a.make(honest.copy()), a.want)
			})
		}
		s.answers(t, honest.bytes(), who)
	}
}

// skipped leaves out two of three attacks under the race detector, which makes every
// signature ten times as slow and looks for something else.
func skipped(i int) bool { return racing && i%3 != 0 }

func (s *stage) fate(who mandate.Person) string {
	if who.Name == s.anna.Name {
		return "permitted"
	}
	return "denied"
}

// repels sends a hostile message and looks at everything that must follow: nothing
// believed, the answer meant for it, one defence counted, nothing journalled.
func (s *stage) repels(t *testing.T, message []byte, want verdict) {
	t.Helper()
	played.hostile.Add(1)
	r := s.post(message)
	if grown := s.grown(); !maps.Equal(grown, counts{want.counted: 1}) {
		t.Errorf("counted %v, want %q once", grown, want.counted)
	}
	if bytes.Contains(r.body, []byte("Decision>")) || bytes.Contains(r.body, []byte("Assertion ")) {
		t.Errorf("a forged message got a statement: %s", r.body)
	}
	if n := s.recorded(); n != 0 {
		t.Errorf("%d decisions were journalled", n)
	}
	if want.code != "" {
		wantFault(t, r, want.code)
		return
	}
	s.wantRefusal(t, r, want)
}

func wantFault(t *testing.T, r reply, code string) {
	t.Helper()
	if r.status != 500 || !bytes.Contains(r.body, []byte("<faultcode>"+code+"</faultcode>")) {
		t.Errorf("answered with %d %s, want a SOAP fault %s", r.status, r.body, code)
	}
	if r.header.Get("Content-Type") != "text/xml" {
		t.Errorf("the fault is %q", r.header.Get("Content-Type"))
	}
}

var inResponseTo = regexp.MustCompile(`InResponseTo="([^"]*)"`)

// wantRefusal reads the answer as a broker does, with its signature.
func (s *stage) wantRefusal(t *testing.T, r reply, want verdict) {
	t.Helper()
	if r.status != 200 {
		t.Errorf("answered with %d %s, want a signed %s %s", r.status, r.body, want.status.Short(), want.word)
		return
	}
	read := s.read(t, r.body)
	if read.Status != want.status || read.Message != want.word || read.Statement != nil {
		t.Errorf("answered with %s %q, want %s %q", read.Status.Short(), read.Message, want.status.Short(), want.word)
	}
}

func (s *stage) read(t testing.TB, body []byte) *saml.Reply {
	t.Helper()
	asked := inResponseTo.FindSubmatch(body)
	if asked == nil {
		t.Fatalf("the answer is to nothing: %s", body)
	}
	read, err := saml.ReadReply(body, s.ours(), string(asked[1]), s.clock.Now())
	if err != nil {
		t.Fatalf("the answer cannot be believed: %v\n%s", err, body)
	}
	return read
}

// answers sends an honest message and wants the decision that its person deserves.
func (s *stage) answers(t *testing.T, message []byte, who mandate.Person) *saml.Reply {
	t.Helper()
	played.honest.Add(1)
	r := s.post(message)
	if r.status != 200 {
		t.Fatalf("an honest message was refused: %d %s\n%s\n%s", r.status, r.body, s.lastWords(), message)
	}
	read := s.read(t, r.body)
	denied := !read.Permitted() && read.Message == "revoked"
	if who.Name == s.anna.Name && !read.Permitted() || who.Name == s.bob.Name && !denied {
		t.Fatalf("%s was answered %s %q\n%s", who.Name, read.Status.Short(), read.Message, s.lastWords())
	}
	if n := s.recorded(); n != 1 {
		t.Errorf("%d decisions were journalled, want 1", n)
	}
	if grown := s.grown(); len(grown) != 1 {
		t.Errorf("an honest message counted %v", grown)
	}
	return read
}

// lastWords is the last line of the daemon's log: why it answered so.
func (s *stage) lastWords() string {
	lines := strings.Split(strings.TrimSpace(s.log.String()), "\n")
	return lines[len(lines)-1]
}

// inspect looks at a stage after everything was played on it (S3, S4, S10).
func (s *stage) inspect() {
	s.t.Helper()
	if n := s.trapped.Load(); n != 0 {
		s.t.Errorf("an address out of a message was fetched %d times", n)
	}
	for where, text := range map[string]string{"log": s.log.String(), "metrics": s.metrics()} {
		for what, leak := range map[string]string{
			"the bakery's KvK number": bakery.KvK.Text(), "its RSIN": bakery.RSIN.Text(), "the office's KvK number": office.KvK.Text(),
			"Anna's pseudonym": s.anna.Subject.Pseudonym.Text(), "Bob's pseudonym": s.bob.Subject.Pseudonym.Text(),
			"a company's name": "Korenbloem", "an assertion": "Assertion ID=", "encrypted content": "CipherValue>",
			"a signature": "SignatureValue>", "a stack trace": "goroutine ", "a panic": "panic", "a source file": ".go:",
		} {
			if strings.Contains(text, leak) {
				s.t.Errorf("%s is in the %s", what, where)
			}
		}
	}
}

// TestMain counts: a whole run plays at least so many messages of each kind.
func TestMain(m *testing.M) {
	code := m.Run()
	hostile, honest := played.hostile.Load(), played.honest.Load()
	fmt.Printf("outside: %d hostile and %d honest messages were sent\n", hostile, honest)
	whole := !strings.Contains(strings.Join(os.Args, " "), "-test.run") && !strings.Contains(strings.Join(os.Args, " "), "-test.bench")
	if code == 0 && whole && (hostile < 300 || honest < 200) {
		fmt.Println("outside: too few: want 300 hostile and 200 honest")
		code = 1
	}
	os.Exit(code)
}

// The two letters of every scene are honest, whoever signs them.
func TestTheHonestLettersAreBelieved(t *testing.T) {
	t.Parallel()
	s := newStage(t, harness.Options{})
	for _, who := range []mandate.Person{s.anna, s.bob} {
		s.answers(t, s.letter(who).bytes(), who)
		s.answers(t, s.letter(who).resign().bytes(), who)
	}
}
