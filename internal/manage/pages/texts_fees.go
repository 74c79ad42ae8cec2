package pages

import "github.com/mandated/mandated/internal/look"

// feeTexts are the words about what mandates cost, and about sets of services.
var feeTexts = look.Texts{
	"place /costs":    {NL: "Kosten", EN: "Costs"},
	"costs text":      {NL: "Alle bedragen zijn zonder btw. Een machtiging kost één keer iets: als zij gaat gelden. Stilzetten en intrekken kosten niets.", EN: "All amounts are without VAT. A mandate costs something once: when it comes in force. To suspend or revoke it costs nothing."},
	"deal cost":       {NL: "Zodra de machtiging geldt, kost dat {grantor} {amount}, zonder btw. Stilzetten en intrekken kosten niets.", EN: "Once the mandate is in force, it costs {grantor} {amount}, without VAT. To suspend or revoke it costs nothing."},
	"deal free":       {NL: "De machtiging kost {grantor} niets. Stilzetten en intrekken kosten ook niets.", EN: "The mandate costs {grantor} nothing. To suspend or revoke it costs nothing either."},
	"euros":           {NL: "€ {whole},{cents}", EN: "€{whole}.{cents}"},
	"plain euros":     {NL: "{whole},{cents}", EN: "{whole}.{cents}"},
	"prices":          {NL: "Prijzen", EN: "Prices"},
	"no prices":       {NL: "Machtigingen kosten nu niets", EN: "Mandates cost nothing now"},
	"price chain":     {NL: "Voor een intermediair", EN: "For an intermediary"},
	"price direct":    {NL: "Voor een eigen medewerker", EN: "For an own employee"},
	"price of":        {NL: "Machtiging", EN: "Mandate"},
	"price level":     {NL: "Tot en met niveau", EN: "Up to level"},
	"price years":     {NL: "Ten hoogste", EN: "At most"},
	"years":           {NL: "{n} jaar | {n} jaar", EN: "{n} year | {n} years"},
	"amount":          {NL: "Bedrag zonder btw", EN: "Amount without VAT"},
	"charged":         {NL: "Wat in rekening is gebracht", EN: "What was charged"},
	"charged nothing": {NL: "Er is nog niets in rekening gebracht", EN: "Nothing was charged yet"},
	"charged on":      {NL: "Datum", EN: "Date"},
	"costs list":      {NL: "Download de lijst voor een spreadsheet (CSV)", EN: "Download the list for a spreadsheet (CSV)"},
	"file costs":      {NL: "kosten", EN: "costs"},

	"sets":           {NL: "Pakketten van diensten", EN: "Sets of services"},
	"sets hint":      {NL: "Een vinkje kiest alle diensten die nu in het pakket zitten. U ziet ze voordat u akkoord gaat.", EN: "A tick chooses all services that are in the set now. You see them before you agree."},
	"set":            {NL: "{name}: {n} dienst | {name}: {n} diensten", EN: "{name}: {n} service | {name}: {n} services"},
	"set stands for": {NL: "‘{name}’ staat voor: {services}. Wat er later bij het pakket komt, hoort er niet bij.", EN: "‘{name}’ stands for: {services}. What is added to the set later does not belong to it."},
}
