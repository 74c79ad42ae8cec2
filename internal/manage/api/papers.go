package api

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/mandated/mandated/pkg/mandate"
)

// Paper is a piece of evidence on which a step of the register's staff rests.
type Paper struct {
	Kind   string `json:"kind" enum:"signed-form,extract,identified,resolution,notice" doc:"what it shows; identified: who signed, and the user, were seen in person"`
	Dated  string `json:"dated" maxLength:"40" doc:"when it was made: a date, which begins in Amsterdam, or a moment with a zone" example:"2027-01-01"`
	Where  string `json:"where" maxLength:"255" doc:"where it lies in the register's archive"`
	SHA256 string `json:"sha256,omitempty" maxLength:"64" doc:"of the file, 64 hexadecimal digits; none: there is no file"`
}

// evidenceOf reads papers. Whether they are enough is judged when something rests on them.
func evidenceOf(m *mistakes, place string, papers []Paper) (list []mandate.Evidence) {
	for i, p := range papers {
		at := fmt.Sprintf("%s[%d]", place, i)
		list = append(list, mandate.Evidence{Kind: mandate.EvidenceKind(p.Kind), Where: p.Where,
			Dated: parse(m, at+".dated", p.Dated, mandate.ParseMoment), SHA256: parse(m, at+".sha256", p.SHA256, readSum)})
	}
	return list
}

func readSum(text string) (sum [32]byte, err error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(sum) {
		return sum, errors.New("a SHA-256 has 64 hexadecimal digits")
	}
	return [32]byte(raw), nil
}

func papersOf(list []mandate.Evidence) (papers []Paper) {
	for _, e := range list {
		p := Paper{Kind: string(e.Kind), Dated: e.Dated.UTC().Format(time.RFC3339), Where: e.Where}
		if e.SHA256 != [32]byte{} {
			p.SHA256 = hex.EncodeToString(e.SHA256[:])
		}
		papers = append(papers, p)
	}
	return papers
}
