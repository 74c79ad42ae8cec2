package server

import (
	"fmt"
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/decision"
	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// speech is what the pages of a visit say in one language, in plain words (B1).
type speech struct {
	language look.Language

	Title, TitleNone, TitleServices string
	TitleElsewhere                  string
	For                             string // which service it is about: provider and service

	Lost, General, Unavailable string

	Search, SearchHint, Find, NothingFound, All string
	Recent, Own, Direct, Clients, Pages         string
	Number, Through, Only, Elsewhere, Expiring  string
	Nameless                                    string
	Choose                                      string // a button, with the name after it
	First, Next, Back                           string
	Cancel, Leave, LeaveHint                    string
	Code                                        string // what it is for

	AskElsewhere, ClientsOf, NobodyElsewhere string
	Silent, SilentHint, Many                 string

	Services, PickOne, GoOn string

	On      string // a day
	reasons map[decision.Code]explained
	helpers helpers
}

// explained is a reason, and what to do about it.
type explained struct{ Sentence, Next string }

// helpers say who can do something about a mandate.
type helpers struct{ nobody, company, office, client string }

// of explains a reason; m is the mandate it is about, nil for none.
func (s speech) of(code decision.Code, m *mandate.Mandate, level string) explained {
	why, who := s.reasons[code], s.helpers.nobody
	date := ""
	if m != nil {
		switch m.Kind {
		case mandate.Direct:
			who = fmt.Sprintf(s.helpers.company, nameOf(m.Grantor, s))
		case mandate.Assignment:
			who = fmt.Sprintf(s.helpers.office, nameOf(m.Grantor, s))
		default:
			who = fmt.Sprintf(s.helpers.client, nameOf(m.Grantor, s))
		}
		day := m.Validity.To
		if code == decision.NotYetValid {
			day = m.Validity.From
		}
		date = fmt.Sprintf(s.On, s.language.Date(day))
	}
	fill := strings.NewReplacer("{who}", who, "{date}", date, "{needs}", level)
	return explained{fill.Replace(why.Sentence), fill.Replace(why.Next)}
}

// Explain says why something was refused, and what to do about it, in the words of the page
// that the user got; m is the mandate it is about, nil for none.
func Explain(l look.Language, code decision.Code, m *mandate.Mandate, needs etoegang.AssuranceLevel) (why, next string) {
	e := speeches[l].of(code, m, ehName(needs))
	return e.Sentence, e.Next
}

// ReferenceOf is how a record is called by people: the beginning of its id, in groups.
func ReferenceOf(record string) string {
	if len(record) < 12 {
		return ""
	}
	return record[:4] + "-" + record[4:8] + "-" + record[8:12]
}

// general explains codes that are about no mandate in particular.
func (s speech) general(codes []decision.Code, level string) (list []explained) {
	for _, code := range codes {
		list = append(list, s.of(code, nil, level))
	}
	return list
}

// ehName is a level under the name that users know from their means.
func ehName(l etoegang.AssuranceLevel) string {
	return map[etoegang.AssuranceLevel]string{
		etoegang.LoA2: "EH2", etoegang.LoA2Plus: "EH2+", etoegang.LoA3: "EH3", etoegang.LoA4: "EH4",
	}[max(l, etoegang.LoA2)]
}

var speeches = map[look.Language]speech{
	look.Dutch: {
		language: look.Dutch,
		Title:    "Voor welke organisatie logt u in?", TitleNone: "U kunt nu voor niemand inloggen", TitleServices: "Voor welke diensten logt u in?",
		For:  "U logt in bij %s voor: %s.",
		Lost: "%s kunt u niet meer kiezen", General: "Wat er aan de hand is", Unavailable: "Kan nu niet:",
		Search: "Zoek een organisatie", SearchHint: "Typ het begin van een woord uit de naam, of van het KvK-nummer.", Find: "Zoek",
		NothingFound: "Wij vinden geen organisatie met deze naam of dit nummer.", All: "Toon alle organisaties",
		Recent: "Laatst gekozen", Own: "Uw eigen organisatie", Direct: "Organisaties die u zelf hebben gemachtigd", Pages: "Pagina's van de lijst", Clients: "Klanten",
		Number: "KvK-nummer", Through: "Via %s", Only: "Alleen voor vestiging %s", Elsewhere: "Deze machtiging wordt ook nog bij een ander register gecontroleerd.",
		Expiring: "Geldig tot %s. Vraag op tijd om verlenging.", Nameless: "Naam niet bekend",
		Choose: "Kies", First: "Naar het begin van de lijst", Next: "Volgende organisaties", Back: "Kies een andere organisatie",
		Cancel: "Annuleer het inloggen", Leave: "Terug naar de website", LeaveHint: "U gaat terug naar de website waar u vandaan komt. U bent daar dan niet ingelogd.",
		Code:           "Wilt u ons hierover bellen? Houd dan deze code bij de hand:",
		TitleElsewhere: "Klanten van %s bij andere registers", AskElsewhere: "Zoek klanten van %s bij andere registers", ClientsOf: "Gevonden klanten van %s",
		NobodyElsewhere: "Wij hebben geen klant gevonden waarvoor u bij deze dienst kunt inloggen.",
		Silent:          "Niet ieder register gaf antwoord", SilentHint: "Klanten die in deze registers staan, ziet u hier nu niet. Probeer het later nog eens.",
		Many:     "Er zijn te veel klanten om hier te tonen. Typ het hele KvK-nummer van de klant.",
		Services: "U kunt voor %s bij meer diensten inloggen. Kies er een of meer.", PickOne: "Kies minstens één dienst.", GoOn: "Ga verder",
		On:      " op %s",
		helpers: helpers{"uw machtigingenbeheerder", "de machtigingenbeheerder van %s", "de machtigingenbeheerder van %s", "uw klant %s"},
		reasons: map[decision.Code]explained{
			decision.ServiceUnknown:         {"Deze dienst is bij ons niet bekend.", "Meld dit aan de website waar u wilt inloggen."},
			decision.ServiceNotPublic:       {"Deze dienst is nog niet open.", "Meld dit aan de website waar u wilt inloggen."},
			decision.LevelUnsupported:       {"Het gevraagde niveau kunnen wij niet geven.", "Meld dit aan de website waar u wilt inloggen."},
			decision.LevelAboveCatalogue:    {"De website vraagt een hoger niveau dan bij deze dienst hoort.", "Meld dit aan de website waar u wilt inloggen."},
			decision.AuthenticationTooLow:   {"U bent ingelogd op een te laag niveau.", "Ga terug en log in met een inlogmiddel van niveau {needs} of hoger."},
			decision.RepresentedUnknown:     {"De organisatie waarvoor u wilt inloggen, kennen wij niet.", "Kijk bij welk machtigingenregister de machtiging staat."},
			decision.NoMandateToPerson:      {"Er staat bij ons geen machtiging op uw naam die hier past.", "Vraag {who} om u te machtigen. Dat kan alleen de organisatie zelf doen."},
			decision.NoMandateToCompany:     {"Deze organisatie heeft uw kantoor niet gemachtigd.", "Vraag {who} om een machtiging."},
			decision.PartyInactive:          {"Een van de organisaties doet niet meer mee, of u zelf niet meer.", "Neem contact op met ons. Dan zoeken wij uit wat er aan de hand is."},
			decision.PartyBlocked:           {"Wij hebben dit voorlopig gestopt, voor uw veiligheid.", "Neem contact op met ons. Dan zoeken wij uit wat er aan de hand is."},
			decision.NotYetGranted:          {"De machtiging is aangevraagd, maar nog niet gegeven.", "Vraag {who} om de aanvraag goed te keuren."},
			decision.Revoked:                {"De machtiging is ingetrokken.", "Vraag {who} om een nieuwe machtiging als u deze nog nodig heeft."},
			decision.LapsedUnused:           {"De machtiging is beëindigd, omdat zij lang niet gebruikt is.", "Vraag {who} om een nieuwe machtiging."},
			decision.Suspended:              {"De machtiging is tijdelijk stilgezet.", "Vraag {who} om de machtiging weer aan te zetten."},
			decision.NotYetValid:            {"De machtiging gaat pas in{date}.", "Wacht tot die dag, of vraag {who} om een eerdere datum."},
			decision.Expired:                {"De machtiging is verlopen{date}.", "Vraag {who} om een nieuwe machtiging."},
			decision.ServiceNotCovered:      {"De machtiging geldt niet voor deze dienst.", "Vraag {who} om een machtiging voor deze dienst."},
			decision.AssuranceTooLow:        {"De machtiging heeft een te laag niveau. Voor deze dienst is {needs} nodig.", "Vraag {who} om een machtiging op niveau {needs}."},
			decision.EstablishmentMismatch:  {"De machtiging geldt alleen voor een vestiging, en dat kan bij deze dienst niet.", "Vraag {who} om een machtiging zonder vestiging."},
			decision.IdentifierNotAvailable: {"De website vraagt een nummer dat deze organisatie niet heeft.", "Meld dit aan de website waar u wilt inloggen."},
		},
	},
	look.English: {
		language: look.English,
		Title:    "For which organisation do you log in?", TitleNone: "You cannot log in for anybody now", TitleServices: "For which services do you log in?",
		For:  "You log in at %s for: %s.",
		Lost: "You can no longer choose %s", General: "What is the matter", Unavailable: "Not possible now:",
		Search: "Search for an organisation", SearchHint: "Type the beginning of a word of the name, or of the KvK number.", Find: "Search",
		NothingFound: "We find no organisation with this name or number.", All: "Show all organisations",
		Recent: "Chosen last", Own: "Your own organisation", Direct: "Organisations that have mandated you", Pages: "Pages of the list", Clients: "Clients",
		Number: "KvK number", Through: "Through %s", Only: "Only for establishment %s", Elsewhere: "This mandate is checked at another register as well.",
		Expiring: "Valid until %s. Ask for renewal in time.", Nameless: "Name not known",
		Choose: "Choose", First: "To the beginning of the list", Next: "Next organisations", Back: "Choose another organisation",
		Cancel: "Cancel the log-in", Leave: "Back to the website", LeaveHint: "You go back to the website that you came from. You are not logged in there then.",
		Code:           "Do you want to call us about this? Then have this code at hand:",
		TitleElsewhere: "Clients of %s at other registers", AskElsewhere: "Look for clients of %s at other registers", ClientsOf: "Clients of %s that were found",
		NobodyElsewhere: "We have found no client for whom you can log in at this service.",
		Silent:          "Not every register has answered", SilentHint: "Clients that stand in these registers are not shown here now. Try again later.",
		Many:     "There are too many clients to show here. Type the whole KvK number of the client.",
		Services: "You can log in at several services for %s. Choose one or more.", PickOne: "Choose at least one service.", GoOn: "Go on",
		On:      " on %s",
		helpers: helpers{"your mandate administrator", "the mandate administrator of %s", "the mandate administrator of %s", "your client %s"},
		reasons: map[decision.Code]explained{
			decision.ServiceUnknown:         {"We do not know this service.", "Tell the website where you want to log in."},
			decision.ServiceNotPublic:       {"This service is not open yet.", "Tell the website where you want to log in."},
			decision.LevelUnsupported:       {"We cannot give the level that was asked for.", "Tell the website where you want to log in."},
			decision.LevelAboveCatalogue:    {"The website asks for a higher level than belongs to this service.", "Tell the website where you want to log in."},
			decision.AuthenticationTooLow:   {"You have logged in at a level that is too low.", "Go back, and log in with a means of level {needs} or higher."},
			decision.RepresentedUnknown:     {"We do not know the organisation for which you want to log in.", "Find out in which mandate register the mandate stands."},
			decision.NoMandateToPerson:      {"We have no mandate in your name that fits here.", "Ask {who} to mandate you. Only the organisation itself can do that."},
			decision.NoMandateToCompany:     {"This organisation has not mandated your office.", "Ask {who} for a mandate."},
			decision.PartyInactive:          {"One of the organisations no longer takes part, or you do not.", "Contact us. We will find out what is the matter."},
			decision.PartyBlocked:           {"We have stopped this for the time being, for your safety.", "Contact us. We will find out what is the matter."},
			decision.NotYetGranted:          {"The mandate was asked for, and not given yet.", "Ask {who} to approve the request."},
			decision.Revoked:                {"The mandate was withdrawn.", "Ask {who} for a new mandate if you still need it."},
			decision.LapsedUnused:           {"The mandate has ended, because it was not used for a long time.", "Ask {who} for a new mandate."},
			decision.Suspended:              {"The mandate is suspended for now.", "Ask {who} to switch it on again."},
			decision.NotYetValid:            {"The mandate begins{date}.", "Wait until that day, or ask {who} for an earlier date."},
			decision.Expired:                {"The mandate expired{date}.", "Ask {who} for a new mandate."},
			decision.ServiceNotCovered:      {"The mandate does not cover this service.", "Ask {who} for a mandate for this service."},
			decision.AssuranceTooLow:        {"The level of the mandate is too low. This service needs {needs}.", "Ask {who} for a mandate at level {needs}."},
			decision.EstablishmentMismatch:  {"The mandate is for one establishment only, and this service does not allow that.", "Ask {who} for a mandate without an establishment."},
			decision.IdentifierNotAvailable: {"The website asks for a number that this organisation does not have.", "Tell the website where you want to log in."},
		},
	},
}
