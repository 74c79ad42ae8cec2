package etoegang

import "strings"

// AssuranceLevel is a level of assurance. Levels are ordered: a higher level
// satisfies a lower one. The zero value is no level at all and is below all
// others, so that what was never stated never suffices.
type AssuranceLevel uint8

// The levels of the scheme, lowest first. LoA1 ended on 1 July 2021: it is known,
// so that old messages can be understood, and no longer supported.
const (
	NoLevel AssuranceLevel = iota
	LoA1
	LoA2
	LoA2Plus
	LoA3 // eIDAS substantial
	LoA4 // eIDAS high
)

const levelPrefix = "urn:etoegang:core:assurance-class:"

var levelNames = [...]string{"none", "loa1", "loa2", "loa2plus", "loa3", "loa4"}

// ParseAssuranceLevel reads a level's URN, urn:etoegang:core:assurance-class:loa3.
func ParseAssuranceLevel(urn string) (AssuranceLevel, error) {
	name, ok := strings.CutPrefix(urn, levelPrefix)
	if !ok {
		return NoLevel, &SyntaxError{"level of assurance", "must start with " + levelPrefix}
	}
	return ParseLevelName(name)
}

// ParseLevelName reads a level's short name, as people write it: loa3.
func ParseLevelName(name string) (AssuranceLevel, error) {
	for l := LoA1; l <= LoA4; l++ {
		if levelNames[l] == name {
			return l, nil
		}
	}
	return NoLevel, &SyntaxError{"level of assurance", "must be one of loa2, loa2plus, loa3, loa4 (or loa1, which ended in 2021)"}
}

// Supported tells whether mandates and authentications may still have this level.
func (l AssuranceLevel) Supported() bool { return l >= LoA2 && l <= LoA4 }

// URN is the level as it stands in messages.
func (l AssuranceLevel) URN() string { return levelPrefix + l.String() }

// String is the level's short name.
func (l AssuranceLevel) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "none"
}
