// Package outside holds no code. Its tests look at the register as strangers do: over
// HTTP, with messages made by hand, and with other people's software as the judge of what
// comes back.
//
// The room owns two kinds of test. The hostile ones take an honest signed message apart,
// make one attack out of it and send it to a running daemon; each says which defence must
// refuse it, and how it must be answered. The judging ones hold what we send against
// xmlsec1, against the published schemas and against a message as others build it.
//
// The tests know how messages look on the wire and which sentinel error stands for which
// defence. They have never heard of how the register decides: a permitted and a denied
// question are only two honest letters with different answers.
package outside
