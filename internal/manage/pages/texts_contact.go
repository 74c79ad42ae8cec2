package pages

import "github.com/mandated/mandated/internal/look"

// contactTexts are the words about where somebody wants to be written to.
var contactTexts = look.Texts{
	"contact":         {NL: "Uw e-mailadres", EN: "Your e-mail address"},
	"contact text":    {NL: "Wij schrijven u als er iets op uw antwoord wacht, of als er iets verandert aan de machtigingen die u beheert. Het adres is alleen voor uzelf: collega's zien het niet.", EN: "We write to you when something waits for your answer, or when something changes about the mandates that you manage. The address is for you alone: colleagues do not see it."},
	"email":           {NL: "E-mailadres", EN: "E-mail address"},
	"email hint":      {NL: "Laat dit leeg als u geen e-mail wilt.", EN: "Leave this empty if you want no e-mail."},
	"letter language": {NL: "In welke taal?", EN: "In which language?"},
	"language nl":     {NL: "Nederlands", EN: "Dutch"},
	"language en":     {NL: "Engels", EN: "English"},
	"save":            {NL: "Sla op", EN: "Save"},
	"done contact":    {NL: "Opgeslagen: wij schrijven u op dit adres", EN: "Saved: we write to you at this address"},
	"done no-contact": {NL: "Opgeslagen: wij sturen u geen e-mail", EN: "Saved: we send you no e-mail"},

	"wrong email":    {NL: "Vul één e-mailadres in, zonder spaties of naam erbij, zoals naam@bedrijf.nl.", EN: "Fill in one e-mail address, without spaces or a name, such as name@company.nl."},
	"wrong language": {NL: "Kies Nederlands of Engels.", EN: "Choose Dutch or English."},
}
