package pages

import "github.com/mandated/mandated/internal/look"

// partyTexts are the words about whom the register's staff look up.
var partyTexts = look.Texts{
	"place /parties":     {NL: "Partijen", EN: "Parties"},
	"parties text":       {NL: "Zoek een organisatie op. Voor een persoon: zoek een machtiging van die persoon op, en kies daar de persoon.", EN: "Look up an organisation. For a person: look up a mandate of that person, and choose the person there."},
	"search party":       {NL: "Zoek een organisatie", EN: "Search for an organisation"},
	"parties found":      {NL: "Gevonden organisaties", EN: "Organisations found"},
	"stop on":            {NL: "Geldt", EN: "Holds"},
	"stop off":           {NL: "Geldt niet", EN: "Does not hold"},
	"stop since":         {NL: "Sinds {at}: {why}", EN: "Since {at}: {why}"},
	"all of party":       {NL: "Alles van {name}", EN: "All of {name}"},
	"in force now":       {NL: "Machtigingen die nu gelden", EN: "Mandates in force now"},
	"mandates given":     {NL: "Gegeven machtigingen", EN: "Mandates given"},
	"mandates received":  {NL: "Ontvangen machtigingen", EN: "Mandates received"},
	"party no mandates":  {NL: "{what}: geen", EN: "{what}: none"},
	"nobody manages":     {NL: "Niemand beheert hier machtigingen", EN: "Nobody manages mandates here"},
	"dismissal papers":   {NL: "Noem minstens één bewijsstuk: van welke dag het is en waar het ligt.", EN: "Name at least one piece of evidence: its date and where it lies."},
	"dismissed how":      {NL: "Hoe dat ging", EN: "How that went"},
	"dismissed title":    {NL: "{name} is weggehaald", EN: "{name} was removed"},
	"number in register": {NL: "Nummer in het register", EN: "Number in the register"},

	"wrong no search":    {NL: "Vul een KvK-nummer in, of het begin van een woord uit de naam.", EN: "Fill in a KvK number, or the beginning of a word of the name."},
	"wrong nobody found": {NL: "Wij vinden geen organisatie met dit nummer of deze naam. Controleer wat u typte.", EN: "We find no organisation with this number or name. Check what you typed."},
}
