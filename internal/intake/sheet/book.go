package sheet

// refuse says why a line, or a file as a whole, cannot be read.
func refuse(code string, args map[string]any) *Problem { return book.Problem(code, "", args) }

// book is what this package says.
var book = Book{
	English: {
		"in-column": "Column ",
		"on-line":   "line ",
		"comma":     "comma", "semicolon": "semicolon", "tab": "tab",
		"in-place": "the text in place {place}",

		"file-empty":        "the file is empty: its first line must name the columns, {columns} at least",
		"file-not-utf8":     `the file is not UTF-8 text: save it again as "CSV UTF-8" (in a spreadsheet program: File, Save As) and use that file`,
		"file-workbook":     `this is a workbook (Excel, LibreOffice or Numbers) or another packed file, not a text: open it in a spreadsheet program, save it as "CSV UTF-8" (File, Save As) and use that file`,
		"file-old-workbook": `this is a workbook of an old Excel, not a text: open it in a spreadsheet program, save it as "CSV UTF-8" (File, Save As) and use that file`,
		"file-pdf":          `this is a PDF, not a table: go back to the spreadsheet it was made from, save that as "CSV UTF-8" (File, Save As) and use that file`,
		"file-packed":       "this file is packed (gzip): unpack it and use the file that comes out",
		"file-markup":       `this is a web page or XML, even if its name ends in .xls: open it in a spreadsheet program, save it as "CSV UTF-8" (File, Save As) and use that file`,
		"file-mac-lines":    `the lines end in the old Macintosh way: save the file again as "CSV UTF-8"`,
		"file-json-list":    "this is one JSON list: write each object on a line of its own, without square brackets around them and commas between them",

		"unknown-column": "{name} is not a column: the first line must name columns, out of {columns}",
		"near-column":    "{name} is not a column. Did you mean {near}? The first line must name columns, out of {columns}",
		"column-twice":   "column {column} is there twice: remove one",
		"no-column":      "the file has no column {columns}: every file needs it",

		"cells":         "This line has {has} columns and the first line of the file has {needs}: add or remove a {separator}, or put quotation marks around a text that contains one.",
		"quote-inside":  `This line has a quotation mark in the middle of a text: put quotation marks around the whole text, and write each one inside it twice, as in "Café ""De Zon""".`,
		"quote-open":    "This line has a quotation mark that is never closed: close it, or take it away.",
		"line-too-long": "This line is longer than {KiB} KiB: divide it over several lines.",
		"line-damaged":  `This line is damaged: it holds letters that are not UTF-8, or that were lost when the file was saved before. Type it again, or save the file again as "CSV UTF-8".`,

		"json-syntax":   "This line cannot be read as JSON: write one object on each line, like {example}.",
		"json-key":      "{name} is not a column. The columns are {columns}.",
		"json-near-key": "{name} is not a column. Did you mean {near}? The columns are {columns}.",
		"json-twice":    "it is on this line twice: remove one.",
		"json-value":    "put quotation marks around what stands here: only texts can be read. A number would lose the zeros in front.",
	},
	Dutch: {
		"in-column": "Kolom ",
		"on-line":   "regel ",
		"comma":     "komma", "semicolon": "puntkomma", "tab": "tab",
		"in-place": "de tekst op plaats {place}",

		"file-empty":        "het bestand is leeg: op de eerste regel moeten de namen van de kolommen staan, in elk geval {columns}",
		"file-not-utf8":     `het bestand is geen tekst in UTF-8: sla het opnieuw op als "CSV UTF-8" (in uw rekenprogramma: Bestand, Opslaan als) en gebruik dat bestand`,
		"file-workbook":     `dit is een werkmap (van Excel, LibreOffice of Numbers) of een ander ingepakt bestand, geen tekst: open het in uw rekenprogramma, sla het op als "CSV UTF-8" (Bestand, Opslaan als) en gebruik dat bestand`,
		"file-old-workbook": `dit is een werkmap van een oude Excel, geen tekst: open het in uw rekenprogramma, sla het op als "CSV UTF-8" (Bestand, Opslaan als) en gebruik dat bestand`,
		"file-pdf":          `dit is een pdf, geen tabel: ga terug naar het rekenblad waar de pdf van is gemaakt, sla dat op als "CSV UTF-8" (Bestand, Opslaan als) en gebruik dat bestand`,
		"file-packed":       "dit bestand is ingepakt (gzip): pak het uit en gebruik het bestand dat eruit komt",
		"file-markup":       `dit is een webpagina of XML, ook als de naam eindigt op .xls: open het in uw rekenprogramma, sla het op als "CSV UTF-8" (Bestand, Opslaan als) en gebruik dat bestand`,
		"file-mac-lines":    `de regels eindigen op de manier van oude Macs: sla het bestand opnieuw op als "CSV UTF-8"`,
		"file-json-list":    "dit is één lijst in JSON: zet elk object op een eigen regel, zonder vierkante haken eromheen en komma's ertussen",

		"unknown-column": "{name} is geen kolom: op de eerste regel moeten namen van kolommen staan. Kies uit {columns}",
		"near-column":    "{name} is geen kolom. Bedoelt u {near}? Op de eerste regel moeten namen van kolommen staan. Kies uit {columns}",
		"column-twice":   "kolom {column} staat er twee keer: haal er één weg",
		"no-column":      "het bestand heeft geen kolom {columns}: die is altijd nodig",

		"cells":         "Deze regel heeft {has} kolommen en de eerste regel van het bestand {needs}: zet er een {separator} bij of haal er een weg. Of zet aanhalingstekens om een tekst waar een {separator} in staat.",
		"quote-inside":  `Op deze regel staat een aanhalingsteken midden in een tekst: zet aanhalingstekens om de hele tekst, en schrijf elk aanhalingsteken erin twee keer, zoals in "Café ""De Zon""".`,
		"quote-open":    "Op deze regel staat een aanhalingsteken zonder einde: zet er een bij aan het einde van de tekst, of haal het weg.",
		"line-too-long": "Deze regel is langer dan {KiB} KiB: verdeel hem over meer regels.",
		"line-damaged":  `Deze regel is beschadigd: er staan letters in die geen UTF-8 zijn, of die bij het opslaan verloren zijn gegaan. Typ de regel opnieuw, of sla het bestand opnieuw op als "CSV UTF-8".`,

		"json-syntax":   "Deze regel is geen JSON die wij kunnen lezen: zet op elke regel één object, zoals {example}.",
		"json-key":      "{name} is geen kolom. Kies uit {columns}.",
		"json-near-key": "{name} is geen kolom. Bedoelt u {near}? Kies uit {columns}.",
		"json-twice":    "die staat twee keer op deze regel: haal er één weg.",
		"json-value":    "zet aanhalingstekens om wat hier staat: wij kunnen alleen teksten lezen. Een getal zou de nullen aan het begin verliezen.",
	},
}
