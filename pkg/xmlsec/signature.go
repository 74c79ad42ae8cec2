package xmlsec

import (
	"encoding/base64"
	"strings"
	"sync"
)

// signatureForm is a ds:Signature compiled once for a prefix list: what stands between the
// few things that differ from one to the next.
type signatureForm struct {
	info  [3]string // SignedInfo after its start tag: around the ID, and the digest
	start string    // of Signature and SignedInfo
	alone string    // start of SignedInfo where it stands alone, as it is signed
	value [2]string // around the signature's value
	name  [2]string // around the key's name
	end   string
}

var signatureForms sync.Map // of a prefix list to *signatureForm

// formOf compiles the form for a prefix list, when it is first needed.
func formOf(list []string) *signatureForm {
	key := strings.Join(list, " ")
	if form, ok := signatureForms.Load(key); ok {
		return form.(*signatureForm)
	}
	form := compileSignature(list)
	signatureForms.Store(key, form)
	return form
}

// compileSignature writes a signature of which the parts that differ are marks, and cuts
// it there.
func compileSignature(list []string) *signatureForm {
	const id, digest, value, name = "{id}", "{digest}", "{value}", "{name}"
	info := signedInfo(id, list, digest)
	whole := string(E("ds:Signature", info, E("ds:SignatureValue", value), Signer{KeyName: name}.keyInfo()).Bytes())
	alone := string(info.Bytes())

	const infoStart, infoEnd = "<ds:SignedInfo>", "</ds:SignedInfo>"
	f := &signatureForm{}
	start, body, _ := strings.Cut(whole, infoStart)
	f.start = start + infoStart
	body, rest, _ := strings.Cut(body, infoEnd)
	body += infoEnd
	f.alone = strings.TrimSuffix(alone, body)
	f.info[0], body, _ = strings.Cut(body, id)
	f.info[1], f.info[2], _ = strings.Cut(body, digest)
	f.value[0], rest, _ = strings.Cut(rest, value)
	rest, f.end = strings.TrimSuffix(rest, "</ds:Signature>"), "</ds:Signature>"
	f.value[1], rest, _ = strings.Cut(rest, "<ds:KeyInfo>")
	f.name[0], f.name[1], _ = strings.Cut("<ds:KeyInfo>"+rest, name)
	return f
}

// signature makes the signature, as it stands inside the element whose canonical form it
// is given; no ancestor declares ds or ec.
func (s Signer) signature(id string, list []string, canonical []byte) ([]byte, error) {
	f, digest := formOf(list), digestOf(canonical)
	size := len(f.start) + len(f.info[0]) + len(id) + len(f.info[1]) + len(digest) + len(f.info[2]) + 1024
	out := append(make([]byte, 0, size), f.alone...)
	out = f.appendInfo(out, id, digest)
	value, err := s.sign(out)
	if err != nil {
		return nil, err
	}
	out = f.appendInfo(append(out[:0], f.start...), id, digest)
	out = append(base64.StdEncoding.AppendEncode(append(out, f.value[0]...), value), f.value[1]...)
	return append(s.appendKeyInfo(out, f), f.end...), nil
}

func (s Signer) appendKeyInfo(out []byte, f *signatureForm) []byte {
	if !s.X509 && s.KeyName != "" {
		out = appendEscaped(append(out, f.name[0]...), expressible(s.KeyName), textEscapes)
		return append(out, f.name[1]...)
	}
	if info := s.keyInfo(); info != nil {
		w := writer{out: out, scope: []declaration{{"ds", spaceDS}}}
		w.element(info)
		return w.out
	}
	return out
}

func (f *signatureForm) appendInfo(out []byte, id, digest string) []byte {
	out = append(append(out, f.info[0]...), id...)
	out = append(append(out, f.info[1]...), digest...)
	return append(out, f.info[2]...)
}
