package sheet

import "strings"

// NoFormula keeps a spreadsheet from taking what people wrote for a formula.
func NoFormula(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

// AsWritten takes away what NoFormula has put before a text, so that a table comes back as it
// was.
func AsWritten(text string) string {
	if rest, ok := strings.CutPrefix(text, "'"); ok && rest != "" && NoFormula(rest) != rest {
		return rest
	}
	return text
}
