package quiet

import "strings"

// dots stand where something was cut.
const dots = "…"

// pseudonym is how many hexadecimal digits a pseudonym has. The specific one, for a single
// provider, has an @ and more of them behind it.
const pseudonym = 64

// random is from how many hexadecimal digits on a word is no number of anybody, but what a
// program has made: the id of a record, trace or message; or an OIN, which stands in every
// EntityID.
const random = 16

// number tells whether so many digits are the number of a company (KvK number: 8), of a
// company or person (RSIN, BSN: 9, or 8 without the zero in front), or of an establishment
// (12).
func number(digits int) bool { return digits == 8 || digits == 9 || digits == 12 }

const shortest = 8

// Cut gives the text with dots for whatever looks like an identifier of somebody: 8, 9 or
// 12 digits that are not part of more digits, and pseudonyms. Ids, OINs and UUIDs stay.
func Cut(text string) string {
	c := cutter{text: text}
	for at := 0; at < len(text); {
		end := at
		for end < len(text) && kinds[text[end]] != 0 {
			end++
		}
		if end-at >= shortest {
			end = c.word(at, end)
		}
		at = max(end, at+1)
	}
	if c.done == 0 {
		return text
	}
	return c.kept.String() + text[c.done:]
}

// kinds tells what a byte is; zero: neither letter nor digit.
var kinds = func() (table [256]kind) {
	for b := range table {
		switch {
		case b >= '0' && b <= '9':
			table[b] = letter | hexadecimal | digit
		case b >= 'a' && b <= 'f', b >= 'A' && b <= 'F':
			table[b] = letter | hexadecimal
		case b >= 'g' && b <= 'z', b >= 'G' && b <= 'Z':
			table[b] = letter
		}
	}
	return table
}()

type kind byte

const (
	letter kind = 1 << iota // or digit
	hexadecimal
	digit
)

// cutter is a text that is being cut.
type cutter struct {
	text string
	kept strings.Builder // what stays of the text before done
	done int             // zero: nothing was cut
}

func (c *cutter) cut(from, to int) {
	c.kept.WriteString(c.text[c.done:from])
	c.kept.WriteString(dots)
	c.done = to
}

// run is where the bytes of a kind end that begin at from.
func (c *cutter) run(from, end int, k kind) int {
	for from < end && kinds[c.text[from]]&k != 0 {
		from++
	}
	return from
}

// word looks at letters and digits with neither before nor behind them, and gives where to
// go on.
func (c *cutter) word(from, end int) int {
	if c.run(from, end, hexadecimal) == end {
		switch {
		case end-from >= random && end-from < pseudonym:
			return end
		case isUUID(c.text[from:]):
			return from + len(uuid)
		}
	}
	for at := from; at < end; at++ {
		if stop := c.run(at, end, hexadecimal); stop-at >= pseudonym {
			return c.pseudonym(at, stop)
		}
		stop := c.run(at, end, digit)
		if number(stop - at) {
			c.cut(at, stop)
		}
		at = max(at, stop)
	}
	return end
}

// pseudonym cuts one with what belongs to it.
func (c *cutter) pseudonym(from, end int) int {
	if end < len(c.text) && c.text[end] == '@' {
		end = c.run(end+1, len(c.text), hexadecimal)
	}
	c.cut(from, end)
	return end
}

const uuid = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"

// isUUID tells whether a text begins with a UUID and something else behind it.
func isUUID(text string) bool {
	if len(text) < len(uuid) || len(text) > len(uuid) && kinds[text[len(uuid)]] != 0 {
		return false
	}
	for i := range len(uuid) {
		if uuid[i] == '-' && text[i] != '-' || uuid[i] != '-' && kinds[text[i]]&hexadecimal == 0 {
			return false
		}
	}
	return true
}
