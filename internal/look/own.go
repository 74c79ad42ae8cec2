package look

// ours are the words of the look itself.
var ours = Texts{
	"skip":        {"Naar de inhoud", "Skip to the content"},
	"home":        {"naar het begin", "to the start page"},
	"switch":      {"Taal", "Language"},
	"places":      {"Hoofdmenu", "Main menu"},
	"way":         {"Kruimelpad", "Breadcrumbs"},
	"about":       {"Over deze site", "About this site"},
	"account":     {"U bent ingelogd als", "You are logged in as"},
	"for":         {"voor", "for"},
	"wrong title": {"Fout: {title}", "Error: {title}"},
	"wrong":       {"Fout:", "Error:"},
	"wrongs":      {"Er is iets niet goed ingevuld | Er zijn {n} dingen niet goed ingevuld", "Something is not filled in correctly | {n} things are not filled in correctly"},
	"optional":    {"(niet verplicht)", "(optional)"},
	"day":         {"Dag", "Day"},
	"month":       {"Maand", "Month"},
	"year":        {"Jaar", "Year"},

	"notice info":    {"Let op:", "Please note:"},
	"notice done":    {"Gelukt:", "Done:"},
	"notice warning": {"Waarschuwing:", "Warning:"},
	"notice error":   {"Fout:", "Error:"},

	"step":      {"Stap {now} van {of}", "Step {now} of {of}"},
	"steps":     {"Stappen", "Steps"},
	"step done": {"klaar", "done"},
	"change":    {"Wijzig", "Change"},

	"pages":     {"Bladeren door {table}", "Pages of {table}"},
	"shown":     {"{first} tot en met {last}", "{first} to {last}"},
	"begin":     {"Begin", "Start"},
	"next":      {"Volgende", "Next"},
	"none here": {"Er is hier niets.", "There is nothing here."},

	"progress": {"{done} van {of}", "{done} of {of}"},
	"busy":     {"Nog bezig", "Still busy"},
	"finished": {"Klaar", "Done"},
	"reloads":  {"Deze pagina gaat vanzelf verder. Gaat u hier weg, dan wacht het werk tot u het weer begint. Wat gedaan is, blijft gedaan.", "This page goes on by itself. If you leave it, the work waits until you begin it again. What is done stays done."},
	"still":    {"Deze pagina gaat nu niet vanzelf verder. Wat gedaan is, blijft gedaan.", "This page does not go on by itself now. What is done stays done."},
	"step on":  {"Doe het volgende deel", "Do the next part"},
	"stop":     {"Stop met verversen", "Stop refreshing"},
	"go on":    {"Weer vanzelf verversen", "Refresh by itself again"},
}
