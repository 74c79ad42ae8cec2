package pages

import "github.com/mandated/mandated/internal/look"

// clientTexts are the words about how the halves of what an intermediary's people may do for its
// clients fit.
var clientTexts = look.Texts{
	"only":           {NL: "Toon", EN: "Show"},
	"only all":       {NL: "Alle klanten", EN: "All clients"},
	"only attention": {NL: "Wat aandacht nodig heeft", EN: "What needs attention"},
	"only ends":      {NL: "Wat binnen 60 dagen afloopt", EN: "What ends within 60 days"},

	"no attention":       {NL: "Niets heeft aandacht nodig", EN: "Nothing needs attention"},
	"none so far":        {NL: "Nog niets gevonden", EN: "Nothing found yet"},
	"none further":       {NL: "Verder is er niets", EN: "There is nothing further"},
	"looked so far":      {NL: "Er zijn nu {n} klanten bekeken, nog niet alle", EN: "{n} clients were looked at so far, not all yet"},
	"looked so far text": {NL: "Zoek verder, of download de hele lijst: daarvoor worden alle klanten bekeken.", EN: "Search further, or download the whole list: for that all clients are looked at."},
	"search further":     {NL: "Zoek verder", EN: "Search further"},
	"clients list":       {NL: "Download deze lijst voor een spreadsheet (CSV)", EN: "Download this list for a spreadsheet (CSV)"},
	"file clients":       {NL: "klanten", EN: "clients"},
	"lasts":              {NL: "Tot en met {until}, {state}", EN: "Up to and including {until}, {state}"},
	"and others":         {NL: "en nog {n}", EN: "and {n} more"},
	"first of":           {NL: "De eerste {n} van {all}:", EN: "The first {n} of {all}:"},

	"do they fit":  {NL: "Past dat?", EN: "Does that fit?"},
	"in the way":   {NL: "Wat er niet past", EN: "What does not fit"},
	"to do":        {NL: "Wat u kunt doen", EN: "What you can do"},
	"fits":         {NL: "Past", EN: "Fits"},
	"fits not":     {NL: "Aandacht nodig", EN: "Needs attention"},
	"fits no more": {NL: "Afgelopen", EN: "Over"},

	"misfit chain-requested":      {NL: "Nog niet iedereen is akkoord met de machtiging van de klant.", EN: "Not everybody has agreed to the client's mandate yet."},
	"misfit chain-ended":          {NL: "De machtiging van de klant is beëindigd.", EN: "The client's mandate was ended."},
	"misfit chain-suspended":      {NL: "De machtiging van de klant is stilgezet.", EN: "The client's mandate is suspended."},
	"misfit chain-not-begun":      {NL: "De machtiging van de klant gaat later in.", EN: "The client's mandate begins later."},
	"misfit chain-expired":        {NL: "De machtiging van de klant is verlopen.", EN: "The client's mandate has expired."},
	"misfit client-stopped":       {NL: "De klant of uw eigen organisatie mag nu niets: dat staat zo in het register.", EN: "The client or your own organisation may do nothing now: the register says so."},
	"misfit person-stopped":       {NL: "Wie u voor deze klant aanwees, mag nu niets: dat staat zo in het register.", EN: "Whom you assigned to this client may do nothing now: the register says so."},
	"misfit assignment-missing":   {NL: "U hebt voor deze klant nog niemand aangewezen.", EN: "You have assigned nobody to this client yet."},
	"misfit assignment-narrower":  {NL: "Uw medewerkers mogen minder dan de klant toestaat.", EN: "Your employees may do less than the client permits."},
	"misfit assignment-lower":     {NL: "Uw medewerkers mogen dit alleen op een lager niveau dan de klant toestaat.", EN: "Your employees may do this only at a lower level than the client permits."},
	"misfit assignment-suspended": {NL: "Wat uw medewerker voor deze klant mag, is stilgezet.", EN: "What your employee may do for this client is suspended."},
	"misfit assignment-requested": {NL: "Nog niet iedereen is akkoord met wat uw medewerker voor deze klant mag.", EN: "Not everybody has agreed to what your employee may do for this client yet."},
	"misfit assignment-not-begun": {NL: "Wat uw medewerker voor deze klant mag, gaat later in.", EN: "What your employee may do for this client begins later."},
	"misfit assignment-expired":   {NL: "Wat uw medewerker voor deze klant mocht, is verlopen.", EN: "What your employee could do for this client has expired."},

	"mend chain-not-begun": {NL: "U hoeft niets te doen.", EN: "You need not do anything."},
	"mend client-stopped":  {NL: "Alleen het register kan dit veranderen.", EN: "Only the register can change this."},
	"mend ask receiver":    {NL: "Wijs een medewerker aan", EN: "Assign an employee"},
	"mend ask grantor":     {NL: "Vraag de klant opnieuw om een machtiging", EN: "Ask the client for a mandate again"},
	"mend agree grantor":   {NL: "Bekijk wie nog moet antwoorden", EN: "See who must still answer"},
	"mend agree receiver":  {NL: "Bekijk wie nog moet antwoorden", EN: "See who must still answer"},
	"mend resume grantor":  {NL: "Alleen de klant kan de machtiging weer laten gelden.", EN: "Only the client can resume the mandate."},
	"mend resume receiver": {NL: "Laat de machtiging weer gelden", EN: "Resume the mandate"},
	"mend resume register": {NL: "Alleen het register kan de machtiging weer laten gelden.", EN: "Only the register can resume the mandate."},
}
