// Package xmlsec owns everything cryptographic about XML: the gate that bytes
// pass before they become a tree, the verification of XML signatures, the
// signing of what we send, and XML encryption in both directions. It is the only
// package of the program that imports an XML cryptography library.
//
// It has never heard of mandates, decisions, HTTP or even SAML messages: callers
// say where signed elements stand, whose keys may have signed them, and read
// values from what verification returned.
//
// Almost every bypass of SAML software was one bug: the code that checked the
// signature and the code that read the values looked at different things. Hence
// the rule of this room: one parse, fixed places, one [Verified] for each signed
// element, and values are read only from the canonical bytes that the element's
// own signature covers.
//
//	document, err := xmlsec.Read(body, xmlsec.MessageLimits)   // the gate
//	verified, err := document.Verify(now, query, assertion)    // the only source of a Verified
//	root := verified[0].Root()                                 // the only nodes Open accepts
//	name, err := xmlsec.Open(encrypted, me, keys)
//
// In the other direction [E] builds an [Element], [Signer.Sign] signs it, [Seal]
// encrypts it and [Element.Bytes] writes it in canonical form.
//
// Nothing in this package fetches anything, reads a clock, or keeps state: every
// function may be called from any number of goroutines, as long as no two of them
// change the same Element.
package xmlsec
