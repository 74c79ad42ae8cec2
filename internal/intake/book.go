package intake

import "github.com/mandated/mandated/internal/intake/sheet"

// book is what this package says to people. The states of a mandate that can be in the
// way of a line are in it under their own names.
var book = sheet.Book{
	sheet.English: {
		"add-column":  "add this column to the file, and write {write}.",
		"empty":       "it is empty; write {write}.",
		"write":       "write {write}.",
		"not-of-kind": "leave it empty, or write another word in column [kind] ({kinds}); a mandate of kind {kind} does not have it.",

		"write-kind":           "one of the words direct, chain or assignment",
		"write-kvk":            "a KvK number of exactly 8 digits, with the zeros in front",
		"write-rsin":           "an RSIN of 9 digits, with the zeros in front, or leave it empty; this is not one: at least one digit is wrong or missing",
		"write-name":           "a name of at most 200 letters, on one line",
		"write-authenticator":  "the EntityID of the authentication service of this person, like urn:etoegang:AD:<OIN>:entities:<index>",
		"write-pseudonym":      "the person's pseudonym at the authentication service: exactly 64 characters, each a digit or one of the letters a to f",
		"write-scope":          "what the mandate covers, with a space between the items: <ServiceUUID>@loa3 for one service, provider:<OIN>@loa3 for all services of a provider, everything@loa3 for all services; the level after @ is loa2, loa2plus, loa3 or loa4",
		"write-date":           "a date as year-month-day, like 2027-01-31, or as day-month-year, like 31-01-2027, or a moment like 2027-01-31T09:00:00Z",
		"write-establishments": "establishment numbers of exactly 12 digits, with the zeros in front and a space or a comma between them, each once; or leave it empty for the whole company",
		"write-register":       "the EntityID of the other register that holds this mandate, like urn:etoegang:MR:<OIN>:entities:<index>, or leave it empty if it is held here",
		"write-reference":      "a note of at most 255 bytes (an accented letter takes two)",

		"zeros-lost":       "a number here has {has} digits and needs {needs}. A spreadsheet may have taken away the zeros in front. Make this column text in the spreadsheet (Format Cells, Text), write the zeros again and save the file again.",
		"number-rewritten": "a spreadsheet has written a number here in a form of its own, and digits may be lost. Make this column text in the spreadsheet (Format Cells, Text), write all {needs} digits again and save the file again.",

		"date-is-number":    "a spreadsheet has made a number of this date. Make this column text in the spreadsheet (Format Cells, Text) and write the date again, like 2027-01-31.",
		"year-too-short":    "write the year with four digits, like 2027-01-31 or 31-01-2027.",
		"date-with-slashes": "write the date with hyphens, like 2027-01-31 or 31-01-2027. With slashes we cannot be sure which number is the day and which one the month.",
		"date-out-of-reach": "write dates of this age in [from] and [until].",
		"ends-before-start": "write a date after the one in column [from].",
		"lasts-too-long":    "write a date at most {years} years after the one in column [from].",
		"starts-in-past":    "write today or a later date; an earlier one is only for mandates that migrate from another register.",

		"level-gone": "write loa2, loa2plus, loa3 or loa4 after the @; {level} no longer exists.",
		"item-twice": "write each item once; the same one stands here twice.",

		"own-intermediary": "write another company than in [grantor_kvk]; a company cannot be its own intermediary.",
		"other-rsin":       "the register knows this company by another RSIN; check it, and write the right one or leave it empty.",
		"rsin-of-another":  "another company in the register has this RSIN; check it and [grantor_kvk], and write the right ones.",
		"this-register":    "leave it empty; this is the register you are importing into.",

		"ended":            "this is mandate {mandate}, which has ended ({state}) and does not come back; to give it again, write another start.",
		"overlaps":         "mandate {mandate}, between the same parties, has part of this scope already; leave out what it has, or have that mandate ended first.",
		"starts-otherwise": "mandate {mandate} is the same but starts at another time; choose a time that does not overlap it, or have that mandate ended first.",
		"ends-otherwise":   "mandate {mandate} is the same but ends at another time; choose a time that does not overlap it, or have that mandate ended first.",
		"other-reference":  "mandate {mandate} is the same but has another reference; write that one, or leave this empty.",
		"still-asked-for":  "This is mandate {mandate}, which is still being asked for ({state}): have it accepted, or withdrawn and import this line again.",

		"no-client-chain":       "this client has no chain mandate to the company in [grantor_kvk], or it has ended; check both, and write the client's chain mandate on an earlier line.",
		"several-client-chains": "chain mandates {first} and {second} of this client both have this; narrow [scope], [from] or [until] so that it fits in one of them only.",
		"wider-than-client":     "this client's chain mandate {mandate} does not have all of this, or not at this level; write what it has, or less.",
		"earlier-than-client":   "this client's chain mandate {mandate} starts later; write its start or a later date.",
		"later-than-client":     "this client's chain mandate {mandate} ends earlier; write its end or an earlier date.",

		"unfit": "This mandate cannot be registered: {why}.",

		"draft": "draft", "requested": "requested", "awaiting-signatures": "awaiting signatures",
		"awaiting-acceptance": "awaiting acceptance",
		"revoked":             "revoked", "lapsed-unused": "not used for too long", "superseded": "replaced by a later one",
		"rejected": "rejected", "withdrawn": "withdrawn", "request-expired": "not answered in time",
	},
	sheet.Dutch: {
		"add-column":  "voeg deze kolom toe aan het bestand, en schrijf {write}.",
		"empty":       "er staat niets; schrijf {write}.",
		"write":       "schrijf {write}.",
		"not-of-kind": "laat dit leeg, of schrijf een ander woord in kolom [kind] ({kinds}); een machtiging van de soort {kind} heeft dit niet.",

		"write-kind":           "een van de woorden direct, chain of assignment",
		"write-kvk":            "een KvK-nummer van precies 8 cijfers, met de nullen aan het begin",
		"write-rsin":           "een RSIN van 9 cijfers, met de nullen aan het begin, of laat dit leeg; dit is er geen: er is minstens één cijfer fout of vergeten",
		"write-name":           "een naam van hooguit 200 letters, op één regel",
		"write-authenticator":  "het EntityID van de authenticatiedienst van deze persoon, zoals urn:etoegang:AD:<OIN>:entities:<index>",
		"write-pseudonym":      "het pseudoniem van de persoon bij de authenticatiedienst: precies 64 tekens, elk een cijfer of een van de letters a tot en met f",
		"write-scope":          "waar de machtiging voor is, met een spatie ertussen: <ServiceUUID>@loa3 voor één dienst, provider:<OIN>@loa3 voor alle diensten van een dienstverlener, everything@loa3 voor alle diensten; het niveau na @ is loa2, loa2plus, loa3 of loa4",
		"write-date":           "een datum als jaar-maand-dag, zoals 2027-01-31, of als dag-maand-jaar, zoals 31-01-2027, of een tijdstip zoals 2027-01-31T09:00:00Z",
		"write-establishments": "vestigingsnummers van precies 12 cijfers, met de nullen aan het begin en een spatie of een komma ertussen, elk één keer; of laat dit leeg voor het hele bedrijf",
		"write-register":       "het EntityID van het andere register waar deze machtiging staat, zoals urn:etoegang:MR:<OIN>:entities:<index>, of laat dit leeg als de machtiging hier staat",
		"write-reference":      "een kenmerk van hooguit 255 bytes (een letter met een accent telt voor twee)",

		"zeros-lost":       "een nummer heeft hier {has} cijfers en dat moeten er {needs} zijn. Misschien heeft een rekenprogramma de nullen aan het begin weggehaald. Maak van deze kolom tekst in uw rekenprogramma (Celeigenschappen, Tekst), zet de nullen er weer bij en sla het bestand opnieuw op.",
		"number-rewritten": "een rekenprogramma heeft een nummer hier op zijn eigen manier geschreven, en misschien zijn er cijfers weg. Maak van deze kolom tekst in uw rekenprogramma (Celeigenschappen, Tekst), typ alle {needs} cijfers opnieuw en sla het bestand opnieuw op.",

		"date-is-number":    "een rekenprogramma heeft van deze datum een getal gemaakt. Maak van deze kolom tekst in uw rekenprogramma (Celeigenschappen, Tekst) en typ de datum opnieuw, zoals 2027-01-31.",
		"year-too-short":    "schrijf het jaar met vier cijfers, zoals 2027-01-31 of 31-01-2027.",
		"date-with-slashes": "schrijf de datum met streepjes, zoals 2027-01-31 of 31-01-2027. Met schuine strepen weten wij niet zeker welk getal de dag is en welk de maand.",
		"date-out-of-reach": "schrijf datums van deze tijd in [from] en [until].",
		"ends-before-start": "schrijf een datum na die in kolom [from].",
		"lasts-too-long":    "schrijf een datum hooguit {years} jaar na die in kolom [from].",
		"starts-in-past":    "schrijf vandaag of een latere datum; een eerdere mag alleen voor machtigingen die meekomen uit een ander register.",

		"level-gone": "schrijf loa2, loa2plus, loa3 of loa4 na de @; {level} bestaat niet meer.",
		"item-twice": "schrijf alles één keer; hier staat twee keer hetzelfde.",

		"own-intermediary": "schrijf een ander bedrijf dan in [grantor_kvk]; een bedrijf kan niet zijn eigen intermediair zijn.",
		"other-rsin":       "het register kent dit bedrijf met een ander RSIN; controleer het, en schrijf het goede of laat dit leeg.",
		"rsin-of-another":  "een ander bedrijf in het register heeft dit RSIN; controleer dit en [grantor_kvk], en schrijf de goede nummers.",
		"this-register":    "laat dit leeg; dit is het register waar u het bestand in zet.",

		"ended":            "dit is machtiging {mandate}. Die is afgelopen ({state}) en komt niet terug; wilt u haar opnieuw geven, schrijf dan een ander begin.",
		"overlaps":         "machtiging {mandate}, tussen dezelfde partijen, heeft een deel hiervan al; laat dat deel weg, of laat eerst die machtiging beëindigen.",
		"starts-otherwise": "machtiging {mandate} is dezelfde, maar begint op een andere tijd; kies een tijd die daar niet mee samenvalt, of laat eerst die machtiging beëindigen.",
		"ends-otherwise":   "machtiging {mandate} is dezelfde, maar eindigt op een andere tijd; kies een tijd die daar niet mee samenvalt, of laat eerst die machtiging beëindigen.",
		"other-reference":  "machtiging {mandate} is dezelfde, maar heeft een ander kenmerk; schrijf dat kenmerk, of laat dit leeg.",
		"still-asked-for":  "Dit is machtiging {mandate}. Die is nog in aanvraag ({state}): laat haar accepteren, of laat haar intrekken en zet deze regel daarna opnieuw in het register.",

		"no-client-chain":       "deze klant heeft geen ketenmachtiging voor het bedrijf in [grantor_kvk], of die is afgelopen; controleer beide, en schrijf de ketenmachtiging van de klant op een eerdere regel.",
		"several-client-chains": "ketenmachtigingen {first} en {second} van deze klant hebben dit allebei; maak [scope], [from] of [until] kleiner, zodat het in maar één ervan past.",
		"wider-than-client":     "ketenmachtiging {mandate} van deze klant heeft dit niet allemaal, of niet op dit niveau; schrijf wat die machtiging heeft, of minder.",
		"earlier-than-client":   "ketenmachtiging {mandate} van deze klant begint later; schrijf het begin daarvan of een latere datum.",
		"later-than-client":     "ketenmachtiging {mandate} van deze klant eindigt eerder; schrijf het einde daarvan of een eerdere datum.",

		"unfit": "Deze machtiging kan niet in het register. De reden, in het Engels: {why}.",

		"draft": "concept", "requested": "aangevraagd", "awaiting-signatures": "wacht op handtekeningen",
		"awaiting-acceptance": "wacht op akkoord",
		"revoked":             "ingetrokken", "lapsed-unused": "te lang niet gebruikt", "superseded": "vervangen door een latere",
		"rejected": "afgewezen", "withdrawn": "aanvraag ingetrokken", "request-expired": "niet op tijd beantwoord",
	},
}
