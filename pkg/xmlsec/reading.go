package xmlsec

import (
	"slices"
	"strings"
	"sync"
)

// reading makes Nodes out of tokens. What it makes is allocated together and copied: it
// shares nothing with the document, and outlives it.
type reading struct {
	doc      []byte
	tokens   *tokens
	skip     int32   // an element that is left out with all it holds, or noElement
	bare     []int32 // elements of which only the name is told
	levels   int     // how many levels of elements are read; 0: all
	verified bool

	room
	words   strings.Builder // all text, one piece after another
	spaces  []string        // of the bindings seen so far
	scratch []byte
}

// room is where nodes are made.
type room struct {
	nodes    []Node
	children []*Node
	attrs    []Attr
}

var readings = sync.Pool{New: func() any { return new(reading) }}

// read makes the node of an element and of all in it, as these settings say.
func (settings reading) read(i int32) *Node {
	r := settings.begin()
	s, own := r.size(i), r.room
	r.room = room{make([]Node, 0, s.nodes), make([]*Node, 0, s.nodes), make([]Attr, 0, s.attrs)}
	r.words.Grow(s.words)
	n := r.node(i, 1)
	r.room = own
	r.release()
	return n
}

// lend is read for nodes that nobody keeps: once use has returned, the next reading has
// them. Strings in them may be kept.
func (settings reading) lend(i int32, use func(*Node) error) error {
	r := settings.begin()
	s := r.size(i)
	r.nodes, r.children, r.attrs = slices.Grow(r.nodes, s.nodes), slices.Grow(r.children, s.nodes), slices.Grow(r.attrs, s.attrs)
	r.words.Grow(s.words)
	err := use(r.node(i, 1))
	r.release()
	return err
}

// begin takes a reading out of the pool and gives it these settings.
func (settings reading) begin() *reading {
	r := readings.Get().(*reading)
	settings.room = r.room
	settings.spaces, settings.scratch = slices.Grow(r.spaces, len(settings.tokens.bindings))[:len(settings.tokens.bindings)], r.scratch
	*r = settings
	return r
}

// poolable says whether a reading is small enough for the pool.
func (r *reading) poolable() bool {
	return cap(r.nodes) <= pooledElements && cap(r.attrs) <= pooledAttributes &&
		cap(r.spaces) <= pooledAttributes && cap(r.scratch) <= pooledBuffer
}

// release puts a reading back into the pool, without what it looked at and made.
func (r *reading) release() {
	if !r.poolable() {
		return
	}
	clear(r.nodes)
	clear(r.children)
	clear(r.attrs)
	clear(r.spaces)
	*r = reading{room: room{r.nodes[:0], r.children[:0], r.attrs[:0]}, spaces: r.spaces[:0], scratch: r.scratch[:0]}
	readings.Put(r)
}

func (r *reading) size(i int32) (s size) {
	r.measure(&s, i, 1)
	return s
}

// size is how much room nodes need, or a little more.
type size struct{ nodes, attrs, words int }

// measure adds up what an element on that level and all in it need.
func (r *reading) measure(s *size, i int32, level int) {
	e := &r.tokens.elements[i]
	s.nodes++
	s.words += int(e.nameEnd - e.local)
	if slices.Contains(r.bare, i) {
		return
	}
	attrs := r.tokens.attrsOf(i)
	s.attrs += len(attrs)
	for j := range attrs {
		s.words += int(attrs[j].nameEnd-attrs[j].local) + int(attrs[j].valueEnd-attrs[j].value)
	}
	if !e.parented {
		s.words += int(e.close - e.inside)
	}
	for child := i + 1; child < e.next && level != r.levels; child = r.tokens.elements[child].next {
		if child != r.skip {
			r.measure(s, child, level+1)
		}
	}
}

func (r *reading) node(i int32, level int) *Node {
	e := &r.tokens.elements[i]
	r.nodes = append(r.nodes, Node{Name: r.name(e), verified: r.verified})
	n := &r.nodes[len(r.nodes)-1]
	if slices.Contains(r.bare, i) {
		return n
	}
	n.Attrs = r.attributes(i)
	if !e.parented {
		n.Text = r.text(e)
	} else if level != r.levels {
		n.Children = r.inner(i, level)
	}
	return n
}

// inner makes the nodes of the children. Their list is taken from the common one before
// they take theirs.
func (r *reading) inner(i int32, level int) []*Node {
	e, count := &r.tokens.elements[i], 0
	for child := i + 1; child < e.next; child = r.tokens.elements[child].next {
		if child != r.skip {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	from := len(r.children)
	r.children = r.children[:from+count]
	list := r.children[from : from : from+count]
	for child := i + 1; child < e.next; child = r.tokens.elements[child].next {
		if child != r.skip {
			list = append(list, r.node(child, level+1))
		}
	}
	return list
}

func (r *reading) name(e *element) Name {
	return Name{r.space(e.space), r.word(r.doc[e.local:e.nameEnd])}
}

func (r *reading) attributes(i int32) []Attr {
	attrs := r.tokens.attrsOf(i)
	if len(attrs) == 0 {
		return nil
	}
	from := len(r.attrs)
	for j := range attrs {
		a := &attrs[j]
		value := a.raw(r.doc)
		if a.text&oddValue != 0 {
			r.scratch = a.appendValue(r.scratch[:0], r.doc)
			value = r.scratch
		}
		r.attrs = append(r.attrs, Attr{Name{r.space(a.space), r.word(a.localName(r.doc))}, r.word(value)})
	}
	return r.attrs[from:len(r.attrs):len(r.attrs)]
}

func (r *reading) text(e *element) string {
	run := r.doc[e.inside:e.close]
	if e.text&oddText != 0 {
		r.scratch = appendText(r.scratch[:0], run, e.text)
		run = r.scratch
	}
	return r.word(run)
}

// word copies a piece of text.
func (r *reading) word(text []byte) string {
	from := r.words.Len()
	r.words.Write(text)
	return r.words.String()[from:]
}

// space returns the namespace that a binding declares, in one copy for all its names.
func (r *reading) space(binding int32) string {
	switch binding {
	case noSpace:
		return ""
	case xmlBinding:
		return xmlSpace
	}
	if r.spaces[binding] == "" {
		uri := r.tokens.space(r.doc, binding)
		known, ok := knownSpaces[string(uri)]
		if !ok {
			known = string(uri)
		}
		r.spaces[binding] = known
	}
	return r.spaces[binding]
}

// knownSpaces holds the namespaces we write, which are also those we mostly read.
var knownSpaces = func() map[string]string {
	known := make(map[string]string, len(prefixes))
	for _, space := range prefixes {
		known[space] = space
	}
	return known
}()
