// Package etoegang holds the words of the Dutch trust scheme Elektronische
// Toegangsdiensten (eHerkenning) as types: numbers, identifiers, levels of
// assurance, services and the URNs that name them on the wire.
//
// A value is parsed once, by the exact ASCII syntax of its kind, and is opaque
// afterwards: holding one proves that it was checked. Values are compared byte
// by byte; nothing is trimmed, folded or normalised, because two spellings of
// one identity are how attackers become somebody else.
//
// Numbers and pseudonyms identify people and small businesses. They never show
// themselves by accident: every fmt verb, slog and encoding/json print only
// their kind. The text is given by Text, which is easy to find in a review.
//
// The package is pure and uses the standard library only. It has never heard of
// XML, SQL, clocks or contexts.
package etoegang
