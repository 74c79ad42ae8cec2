package pdp_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/mandated/mandated/internal/corpus"
	"github.com/mandated/mandated/pkg/catalogue"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/freshness"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/pdp"
	"github.com/mandated/mandated/pkg/register"
)

// store keeps findings in two maps: its own and, as bytes, that of all nodes.
type store struct {
	sync.Mutex
	memory map[string]*pdp.Finding
	redis  map[string][]byte
	keys   []string // that were asked for
	until  []time.Time
}

func newStore() *store { return &store{memory: map[string]*pdp.Finding{}, redis: map[string][]byte{}} }

func (s *store) Memory(key string) (*pdp.Finding, bool) {
	s.Lock()
	defer s.Unlock()
	s.keys = append(s.keys, key)
	f, ok := s.memory[key]
	return f, ok
}

func (s *store) Redis(_ context.Context, key string) (*pdp.Finding, bool) {
	s.Lock()
	defer s.Unlock()
	b, ok := s.redis[key]
	if !ok {
		return nil, false
	}
	f, err := pdp.DecodeFinding(b)
	return f, err == nil
}

func (s *store) Put(key string, f *pdp.Finding, until time.Time) {
	s.Lock()
	defer s.Unlock()
	s.memory[key] = f
	s.redis[key] = must(f.Encode())
	s.until = append(s.until, until)
}

// forget empties what this node kept.
func (s *store) forget() {
	s.Lock()
	defer s.Unlock()
	s.memory = map[string]*pdp.Finding{}
}

// lease is longer than any test: a view stays confirmed until a test says otherwise.
const lease = time.Hour

// node is a decision point that keeps its decisions, on a register where life goes on.
type node struct {
	*past
	*pdp.PDP
	hot      *store
	follower *freshness.Follower
	skew     time.Duration // of its wall clock beside the database's

	steady, wall atomic.Int64 // its clocks, which stand still unless a test moves them
}

func (n *node) clock() freshness.Moment {
	return freshness.Moment{Steady: time.Duration(n.steady.Load()), Wall: time.Unix(0, n.wall.Load())}
}

// newNode plays an idea of the corpus on a node that follows its register.
func newNode(t *testing.T, c corpus.Case) *node {
	t.Helper()
	n := &node{past: newPast(t, c), hot: newStore()}
	n.follower = freshness.New(n.register, lease, n.clock)
	n.config.Hot, n.config.Freshness = n.hot, n.follower
	n.PDP = pdp.New(n.config)
	n.follow()
	return n
}

func nodeOf(t *testing.T, name string) (*node, pdp.Request) {
	t.Helper()
	c := ideaCalled(t, name)
	return newNode(t, c), requestOf(c)
}

func (n *node) follow() {
	n.t.Helper()
	n.wall.Store(time.Now().Add(n.skew).UnixNano())
	if err := n.follower.Poll(ctx); err != nil {
		n.t.Fatal(err)
	}
}

// decide wants an answer, and checks that it has its own record, which says where it came
// from.
func (n *node) decide(r pdp.Request) pdp.Answer {
	n.t.Helper()
	before := len(n.journal.list(n.t))
	answer, err := n.Decide(ctx, r)
	if err != nil {
		n.t.Fatal(err)
	}
	records := n.journal.list(n.t)
	if len(records) != before+1 {
		n.t.Errorf("%d records of one decision", len(records)-before)
	}
	for _, r := range records {
		if r.ID == answer.ID && (r.Hot != answer.Hot || r.View != int64(answer.View) || r.Revision != int64(answer.Revision) || r.Outcome != answer.Outcome.String()) {
			n.t.Errorf("answered %v of revision %d, view %d from %q; recorded: %+v", answer.Outcome, answer.Revision, answer.View, answer.Hot, r)
		}
	}
	return answer
}

// wants decides and checks outcome and source.
func (n *node) wants(what string, r pdp.Request, outcome decision.Outcome, from pdp.Source) pdp.Answer {
	n.t.Helper()
	answer := n.decide(r)
	if answer.Outcome != outcome || answer.Hot != from {
		n.t.Errorf("%s: %v from %q, want %v from %q", what, answer.Outcome, answer.Hot, outcome, from)
	}
	return answer
}

// Every idea of the corpus, asked three times: of the register, of what this node kept, and
// of what another node kept. All say the same. A choice is made on the register every time.
func TestCorpusFromWhatWasKept(t *testing.T) {
	for _, c := range corpus.Part(must(corpus.Load("../../testdata/decisions"))) {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			n := newNode(t, c)
			asked := n.decide(requestOf(c))
			if diff := cmp.Diff(c.Answer, c.Render(asked.Decision)); diff != "" || asked.Hot != pdp.FromRegister {
				t.Errorf("%s: from %q\n%s", c.Idea, asked.Hot, diff)
			}
			for _, from := range []pdp.Source{pdp.FromMemory, pdp.FromRedis} {
				if asked.Outcome == decision.Choose {
					from = pdp.FromRegister
				}
				kept := n.wants("asked again", requestOf(c), asked.Outcome, from)
				if !reflect.DeepEqual(inUTC(kept.Decision), inUTC(asked.Decision)) || kept.Revision != asked.Revision || kept.Catalogue != asked.Catalogue || !reflect.DeepEqual(kept.Instance, asked.Instance) || kept.ID == asked.ID {
					t.Errorf("first %+v\nthen %+v", asked, kept)
				}
				n.hot.forget()
			}
			if asked.Outcome == decision.Choose && len(n.hot.until) > 0 {
				t.Error("a choice was kept")
			}
		})
	}
}

func inUTC(d decision.Decision) decision.Decision {
	d.Until = d.Until.UTC()
	return d
}

// A hit is an answer like any other: it has a record of its own, with its own message and
// its own moment.
func TestEachHitHasItsRecord(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	for i := range 5 {
		request.Message, request.At = fmt.Sprint("_m", i), n.idea.Question.At.Add(time.Duration(i)*time.Second)
		n.decide(request)
	}
	hits := 0
	for _, r := range n.journal.list(t) {
		var i int
		if _, err := fmt.Sscanf(r.Message, "_m%d", &i); err != nil || !r.At.Equal(n.idea.Question.At.Add(time.Duration(i)*time.Second)) {
			t.Errorf("message %q has a record at %v", r.Message, r.At)
		}
		if r.Hot == pdp.FromMemory {
			hits++
		}
	}
	if hits != 4 {
		t.Errorf("%d hits of 5 questions", hits)
	}
	n.journal.broken = errBroken
	answer, err := n.Decide(ctx, request)
	notFoundOut(t, answer, err, errBroken)
}

// A change of anybody on whom a decision depends ends what was kept of it, once the node
// has heard; of somebody else it does not.
func TestChangeEndsWhatWasKept(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	n.wants("first", request, decision.Permit, pdp.FromRegister)
	n.change(func(t *register.Tx) error {
		_, err := t.PutOrganisation(mandate.Organisation{KvK: must(etoegang.ParseKvKNumber("99887766")), Name: "bystander", Active: true})
		return err
	})
	n.follow()
	if hit := n.wants("after a change elsewhere", request, decision.Permit, pdp.FromMemory); hit.View != hit.Revision+1 {
		t.Errorf("facts of revision %d are known to hold up to %d", hit.Revision, hit.View)
	}
	n.change(func(t *register.Tx) error {
		_, err := t.SetState(1, mandate.Suspended)
		return err
	})
	n.follow()
	n.wants("after the suspension", request, decision.Deny, pdp.FromRegister)
	n.wants("and again", request, decision.Deny, pdp.FromMemory)
}

// A node that has heard nothing for a lease asks the register every time.
func TestNothingKeptIsUsedAfterTheLease(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	n.wants("first", request, decision.Permit, pdp.FromRegister)
	n.wants("within the lease", request, decision.Permit, pdp.FromMemory)
	n.steady.Add(int64(lease))
	n.wall.Add(int64(lease))
	n.wants("a lease later", request, decision.Permit, pdp.FromRegister)
	n.wants("and again", request, decision.Permit, pdp.FromRegister)
	n.follow()
	n.wants("confirmed anew", request, decision.Permit, pdp.FromMemory)
}

// Who knows of a grant asks for its revision, and is not told the Deny from before it, also
// by a node that has not heard of it. Of a revision that the register does not have nobody
// can say anything.
func TestRevisionAskedFor(t *testing.T) {
	n, request := nodeOf(t, "state-suspended")
	n.wants("before", request, decision.Deny, pdp.FromRegister)
	n.change(func(t *register.Tx) error {
		_, err := t.SetState(1, mandate.Active)
		return err
	})
	n.wants("who knows of nothing", request, decision.Deny, pdp.FromMemory)
	var now register.Revision
	if err := n.register.Read(ctx, func(s *register.Snapshot) error { now = s.Revision(); return nil }); err != nil {
		t.Fatal(err)
	}
	request.AtLeast = now
	n.wants("who knows of the change", request, decision.Permit, pdp.FromRegister)

	puts := len(n.hot.until)
	request.AtLeast = now + 1
	answer, err := n.Decide(ctx, request)
	notFoundOut(t, answer, err, pdp.ErrBehind)
	if len(n.hot.until) != puts {
		t.Error("an error was kept")
	}
	answers, errs := n.DecideAll(ctx, []pdp.Request{request})
	notFoundOut(t, answers[0], errs[0], pdp.ErrBehind)

	request.AtLeast = now
	n.config.Register = laggard{n.register, now - 1}
	n.PDP = pdp.New(n.config)
	if answers, errs = n.DecideAll(ctx, []pdp.Request{request}); errs[0] != nil || answers[0].Outcome != decision.Permit {
		t.Errorf("with a standby that is behind: %v, %v", answers[0].Outcome, errs[0])
	}
	tooMuch := request
	tooMuch.AtLeast++
	answers, errs = n.DecideAll(ctx, []pdp.Request{request, tooMuch})
	if errs[0] != nil || answers[0].Outcome != decision.Permit {
		t.Errorf("beside a question that cannot be answered: %v, %v", answers[0].Outcome, errs[0])
	}
	notFoundOut(t, answers[1], errs[1], pdp.ErrBehind)
}

// Whatever is changed while a batch is answered, all of it is answered from one moment: the
// change comes as soon as the first question has been looked up.
func TestABatchIsOneMoment(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	meddler := &meddler{Register: n.register, change: func() {
		n.change(func(t *register.Tx) error {
			_, err := t.SetState(1, mandate.Revoked)
			return err
		})
	}}
	n.config.Register, n.config.Catalogues = meddler, afterwards{n.config.Catalogues, meddler}
	n.PDP = pdp.New(n.config)
	answers, errs := n.DecideAll(ctx, []pdp.Request{request, request, request})
	for i, a := range answers {
		if errs[i] != nil || a.Outcome != decision.Permit || a.Revision != answers[0].Revision {
			t.Errorf("question %d: %v at revision %d, %v", i, a.Outcome, a.Revision, errs[i])
		}
	}
	if meddler.reads != 1 || meddler.change != nil {
		t.Errorf("read %d times, and the change is made: %v", meddler.reads, meddler.change == nil)
	}
	answers, errs = n.DecideAll(ctx, []pdp.Request{request, request})
	for i, a := range answers {
		if errs[i] != nil || a.Outcome != decision.Deny {
			t.Errorf("a moment later, question %d: %v, %v", i, a.Outcome, errs[i])
		}
	}
}

// meddler is a register that is changed once while it is read.
type meddler struct {
	*register.Register
	reads  int
	change func()
}

func (m *meddler) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	m.reads++
	return m.Register.Read(ctx, fn)
}

// afterwards is asked for the catalogue by every question, and lets the meddler do it then.
type afterwards struct {
	pdp.Catalogues
	meddler *meddler
}

func (a afterwards) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	c, err := a.Catalogues.Of(s)
	if a.meddler.change != nil {
		a.meddler.change()
		a.meddler.change = nil
	}
	return c, err
}

// laggard is a register that is read from a standby, as it stood some time ago, unless
// whoever reads says that this will not do.
type laggard struct {
	*register.Register
	at register.Revision
}

func (l laggard) Read(ctx context.Context, fn func(*register.Snapshot) error) error {
	if l.ReadAt(ctx, l.at, fn) == nil {
		return nil
	}
	return l.Register.Read(ctx, fn)
}

// A kept decision is good from the moment it was made for until the next at which one of
// its mandates begins or ends, and no longer.
func TestMomentsOfWhatWasKept(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	first := n.decide(request)
	if first.Until.IsZero() || len(n.hot.until) != 1 || !n.hot.until[0].Equal(first.Until) {
		t.Fatalf("until %v, kept until %v", first.Until, n.hot.until)
	}
	for _, c := range []struct {
		what string
		at   time.Time
		from pdp.Source
	}{
		{"the last moment", first.Until.Add(-time.Nanosecond), pdp.FromMemory},
		{"the end", first.Until, pdp.FromRegister},
	} {
		request.At = c.at
		if answer := n.decide(request); answer.Hot != c.from || !answer.At.Equal(c.at) {
			t.Errorf("%s: from %q, about %v", c.what, answer.Hot, answer.At)
		}
	}
	request.At = first.At // what was kept last is about the time after the end
	n.wants("earlier", request, first.Outcome, pdp.FromRegister)
}

// bare has no catalogue at hand before one was asked for.
type bare struct {
	archive
	asked int
}

func (b *bare) Of(s *register.Snapshot) (*catalogue.Catalogue, error) {
	b.asked++
	return b.archive.Of(s)
}

// What another node kept is of no use to one that has not read the catalogue: it asks the
// register, which reads it. From then on hits are hits.
func TestHitNeedsItsCatalogue(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	n.decide(request)
	n.hot.forget()
	shelf := &bare{}
	n.config.Catalogues = shelf
	n.PDP = pdp.New(n.config)
	n.wants("a node that has just started", request, decision.Permit, pdp.FromRegister)
	if shelf.asked != 1 {
		t.Errorf("the catalogue was asked for %d times", shelf.asked)
	}
	n.hot.forget()
	n.wants("the second time", request, decision.Permit, pdp.FromRedis)
}

// A node whose clock is not the database's would begin and end mandates at other moments.
// It decides nothing, whatever it has kept, until it is set right.
func TestClockThatIsWrongDecidesNothing(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	n.decide(request)
	n.skew = 10 * time.Minute
	n.follow()
	answer, err := n.Decide(ctx, request)
	notFoundOut(t, answer, err, freshness.ErrClock)
	answers, errs := n.DecideAll(ctx, []pdp.Request{request, request})
	for i := range answers {
		notFoundOut(t, answers[i], errs[i], freshness.ErrClock)
	}
	for _, r := range n.journal.list(t) {
		if r.Outcome != "Permit" && (r.Outcome != pdp.Indeterminate || !strings.Contains(r.Failure, "clock")) {
			t.Errorf("recorded: %+v", r)
		}
	}
	n.skew = 0
	n.follow()
	if _, err := n.Decide(ctx, request); err != nil {
		t.Error(err)
	}
}

// liar gives a choice, and findings of somebody else's making, as if they had been kept.
type liar struct{ f *pdp.Finding }

func (l liar) Memory(string) (*pdp.Finding, bool)                 { return l.f, true }
func (l liar) Redis(context.Context, string) (*pdp.Finding, bool) { return l.f, true }
func (liar) Put(string, *pdp.Finding, time.Time)                  {}

// Whatever a store invents is judged by its stamp and its moments, and a choice is none of
// the things that are kept.
func TestWhatAStoreInvents(t *testing.T) {
	n, request := nodeOf(t, "blocked-company")
	n.decide(request)
	var made pdp.Finding
	for _, f := range n.hot.memory {
		made = *f
	}
	for what, spoil := range map[string]func(*pdp.Finding){
		"another tag":       func(f *pdp.Finding) { f.Stamp.Tag[3]++ },
		"a later revision":  func(f *pdp.Finding) { f.Stamp.Revision++ },
		"a revision below":  func(f *pdp.Finding) { f.Stamp.Revision = -1 },
		"a later moment":    func(f *pdp.Finding) { f.From = n.idea.Question.At.Add(1) },
		"a moment past":     func(f *pdp.Finding) { f.Until = n.idea.Question.At },
		"another catalogue": func(f *pdp.Finding) { f.Catalogue++ },
		"a choice": func(f *pdp.Finding) {
			f.Decision.Outcome, f.Decision.Options = decision.Choose, make([]decision.Option, 2)
		},
	} {
		lie := made
		spoil(&lie)
		n.config.Hot = liar{&lie}
		n.PDP = pdp.New(n.config)
		n.wants(what, request, decision.Deny, pdp.FromRegister)
	}
}

// keyOf is the key under which a question is looked for.
func keyOf(t interface{ Fatal(...any) }, c pdp.Config, r pdp.Request) string {
	seen := newStore()
	c.Hot = seen
	c.Register = unread{c.Register}
	if r.At.IsZero() {
		r.At = time.Unix(0, 0)
	}
	_, _, _ = pdp.New(c).Find(ctx, r)
	if len(seen.keys) != 1 {
		t.Fatal("the question was not looked for")
	}
	return seen.keys[0]
}

// unread is a register that nobody needs to read.
type unread struct{ pdp.Register }

func (unread) Read(context.Context, func(*register.Snapshot) error) error {
	return errors.New("not now")
}

// enters are the fields of a request that enter a decision, each changed a little; those
// of a request that do not are nil. A field that stands here not at all is a question
// that nobody has thought about: is a kept decision good for both its values?
var enters = map[string]func(*pdp.Request){
	"Question": func(r *pdp.Request) { r.Question = decision.Confirm },
	"ServiceID": func(r *pdp.Request) {
		r.ServiceID = must(etoegang.ParseServiceID("urn:etoegang:DV:00000001000000010000:services:77"))
	},
	"ServiceUUID": func(r *pdp.Request) {
		r.ServiceUUID = must(etoegang.ParseServiceUUID("77777777-0000-4000-8000-000000000000"))
	},
	"Asked":    func(r *pdp.Request) { r.Asked = etoegang.LoA2 },
	"Login":    func(r *pdp.Request) { r.Login = etoegang.LoA2 },
	"Previous": func(r *pdp.Request) { r.Previous = etoegang.LoA2 },
	"Actor.Authenticator": func(r *pdp.Request) {
		r.Actor.Authenticator = must(etoegang.ParseEntityID("urn:etoegang:AD:00000003876543210000:entities:9005"))
	},
	"Actor.Pseudonym":  func(r *pdp.Request) { r.Actor.Pseudonym = must(etoegang.ParsePseudonym(strings.Repeat("7", 64))) },
	"Represented":      func(r *pdp.Request) { r.Represented = append(r.Represented, someCompany(3)) },
	"Intermediary.KvK": func(r *pdp.Request) { r.Intermediary = must(etoegang.ParseIntermediary("99887766")) },
	"Establishments": func(r *pdp.Request) {
		r.Establishments = append(r.Establishments, must(etoegang.ParseEstablishmentNumber("000000000007")))
	},

	"UserChooses": func(r *pdp.Request) { r.UserChooses = true },
	"Chosen":      func(r *pdp.Request) { r.Chosen = true },
	"ConfirmAt":   func(r *pdp.Request) { r.ConfirmAt = corpus.Elsewhere },
	"Services":    func(r *pdp.Request) { r.Services = append(r.Services, r.ServiceUUID) },

	"At": nil, "AtLeast": nil, // are judged
	"Caller": nil, "Message": nil, "Trace": nil, "Assertion": nil, "RestsOn": nil, "Audience": nil, // are recorded
	"Deliver": nil,
}

// settings are the same for the configuration.
var settings = map[string]func(*pdp.Config){
	"ConfirmHere":  func(c *pdp.Config) { c.ConfirmHere = corpus.Elsewhere },
	"TestNetwork":  func(c *pdp.Config) { c.TestNetwork = !c.TestNetwork },
	"OwnElsewhere": func(c *pdp.Config) { c.OwnElsewhere = !c.OwnElsewhere },
	"Certified":    func(c *pdp.Config) { c.Certified = etoegang.LoA3 },

	"Register": nil, "Catalogues": nil, "Journal": nil, "Now": nil, "Hot": nil, "Freshness": nil, "Key": nil,
}

func someCompany(n int) etoegang.LegalSubject {
	return must(etoegang.ParseKvKNumber(fmt.Sprintf("%08d", 10000000+n))).LegalSubject()
}

// leaves names the fields of a struct, those of our own structs one by one.
func leaves(of reflect.Type, known func(string) bool, prefix string) (names []string) {
	for i := range of.NumField() {
		name := prefix + of.Field(i).Name
		if of.Field(i).Type.Kind() == reflect.Struct && !known(name) {
			names = append(names, leaves(of.Field(i).Type, known, name+".")...)
		} else {
			names = append(names, name)
		}
	}
	return names
}

// filled sets every field of a request to something, as far as reflection can.
func filled(base pdp.Request, name string) pdp.Request {
	r := base
	v := reflect.ValueOf(&r).Elem()
	for part := range strings.SplitSeq(name, ".") {
		v = v.FieldByName(part)
	}
	switch v.Interface().(type) {
	case string:
		v.SetString("something else")
	case []string:
		v.Set(reflect.ValueOf([]string{"something else"}))
	case time.Time:
		v.Set(reflect.ValueOf(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)))
	case register.Revision:
		v.SetInt(1)
	case etoegang.EntityID:
		v.Set(reflect.ValueOf(corpus.Elsewhere))
	case pdp.Trace:
		v.Set(reflect.ValueOf(pdp.Trace{ID: "something", Span: "else"}))
	case func(pdp.Answer) error:
		v.Set(reflect.ValueOf(func(pdp.Answer) error { return errBroken }))
	default:
		panic("no idea how to fill " + name)
	}
	return r
}

// Everything that enters a decision enters its key: else one question would be answered
// with the decision on another. And nothing else does, or nothing would ever be found.
func TestKeyHoldsWhatEntersTheDecision(t *testing.T) {
	n, request := nodeOf(t, "chain-permit")
	base := keyOf(t, n.config, request)
	for _, name := range leaves(reflect.TypeFor[pdp.Request](), func(name string) bool { _, ok := enters[name]; return ok }, "") {
		change, known := enters[name]
		other := request
		switch {
		case !known:
			t.Errorf("does Request.%s enter a decision? Say so in enters, and in the key if it does", name)
			continue
		case change == nil:
			if keyOf(t, n.config, filled(request, name)) != base {
				t.Errorf("with another %s the question is looked for elsewhere", name)
			}
			continue
		}
		if change(&other); keyOf(t, n.config, other) == base {
			t.Errorf("with another %s the same is found", name)
		}
	}
	for i := range reflect.TypeFor[pdp.Config]().NumField() {
		name := reflect.TypeFor[pdp.Config]().Field(i).Name
		change, known := settings[name]
		if !known {
			t.Errorf("does Config.%s enter a decision? Say so in settings, and in the key if it does", name)
		}
		if other := n.config; change != nil {
			if change(&other); keyOf(t, other, request) == base {
				t.Errorf("with another %s the same is found", name)
			}
		}
	}
	for i := range reflect.TypeFor[decision.Request]().NumField() { // what package decision gets comes from these two
		name := map[string]string{"Authentication": "Login"}[reflect.TypeFor[decision.Request]().Field(i).Name]
		if name == "" {
			name = reflect.TypeFor[decision.Request]().Field(i).Name
		}
		_, fromRequest := reflect.TypeFor[pdp.Request]().FieldByName(name)
		_, fromConfig := reflect.TypeFor[pdp.Config]().FieldByName(name)
		if !fromRequest && !fromConfig {
			t.Errorf("where does decision.Request.%s come from, and is it in the key?", name)
		}
	}
}

// asked draws a request out of few values, so that two are often nearly the same.
func asked(t *rapid.T) pdp.Request {
	level := func(name string) etoegang.AssuranceLevel {
		return etoegang.AssuranceLevel(rapid.IntRange(0, 5).Draw(t, name))
	}
	r := pdp.Request{
		Question: decision.Question(rapid.SampledFrom([]string{"", "authorize", "recheck", "\x00", "a", "ab"}).Draw(t, "question")),
		Asked:    level("asked"), Login: level("login"), Previous: level("previous"),
	}
	if n := rapid.IntRange(0, 2).Draw(t, "service"); n > 0 {
		r.ServiceID = must(etoegang.ParseServiceID(fmt.Sprintf("urn:etoegang:DV:00000001000000010000:services:%d", n)))
		r.ServiceUUID = must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n)))
	}
	if n := rapid.IntRange(0, 2).Draw(t, "actor"); n > 0 {
		r.Actor = etoegang.ActingSubject{Authenticator: corpus.Authenticator, Pseudonym: must(etoegang.ParsePseudonym(fmt.Sprintf("%064x", n)))}
	}
	if n := rapid.IntRange(0, 2).Draw(t, "intermediary"); n > 0 {
		r.Intermediary = must(etoegang.ParseIntermediary(someCompany(n).Text()))
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "represented") {
		s := someCompany(n)
		if n == 0 {
			s = must(etoegang.ParseRSIN("123456782")).LegalSubject()
		}
		r.Represented = append(r.Represented, s)
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "establishments") {
		r.Establishments = append(r.Establishments, must(etoegang.ParseEstablishmentNumber(fmt.Sprintf("%012d", n))))
	}
	r.UserChooses, r.Chosen = rapid.Bool().Draw(t, "user chooses"), rapid.Bool().Draw(t, "chosen")
	if rapid.Bool().Draw(t, "elsewhere") {
		r.ConfirmAt = corpus.Elsewhere
	}
	for _, n := range rapid.SliceOfN(rapid.IntRange(0, 3), 0, 3).Draw(t, "services") {
		r.Services = append(r.Services, must(etoegang.ParseServiceUUID(fmt.Sprintf("%08d-0000-4000-8000-000000000000", n))))
	}
	return r
}

// No two different questions are looked for in the same place.
func TestKeysOfDifferentQuestionsDiffer(t *testing.T) {
	n, _ := nodeOf(t, "chain-permit")
	rapid.Check(t, func(t *rapid.T) {
		a, b := asked(t), asked(t)
		if rapid.Bool().Draw(t, "nearly alike") {
			b = a
			other := reflect.ValueOf(asked(t))
			field := rapid.IntRange(0, other.NumField()-1).Draw(t, "field")
			reflect.ValueOf(&b).Elem().Field(field).Set(other.Field(field))
		}
		if same := reflect.DeepEqual(a, b); same != (keyOf(t, n.config, a) == keyOf(t, n.config, b)) {
			t.Fatalf("the same question: %v\n%+v\n%+v", same, a, b)
		}
	})
}
