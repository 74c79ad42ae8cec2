package explain

import (
	"strings"

	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
)

// Kind is what a message is, as one stable word.
type Kind string

// The kinds of messages.
const (
	KindAuthnRequest    Kind = "authn-request"     // provider to broker, broker to authentication service
	KindLogin           Kind = "login"             // authentication service to broker
	KindAuthorize       Kind = "authorize"         // broker to the person's register
	KindConfirm         Kind = "confirm"           // broker to the second register
	KindRecheck         Kind = "recheck"           // provider to register
	KindStatement       Kind = "statement"         // register to whoever asked
	KindCombination     Kind = "combination"       // broker to provider
	KindRefusal         Kind = "refusal"           // a Response without an assertion
	KindResponse        Kind = "response"          // a Response of somebody unknown
	KindResolve         Kind = "artifact-resolve"  // whoever got an artifact to its issuer
	KindNothingResolved Kind = "artifact-response" // there was nothing behind the artifact
	KindArtifact        Kind = "artifact"          // an artifact on its way through the browser
	KindFault           Kind = "fault"
	KindChainQuestion   Kind = "chain-question" // register to register, discovery
	KindChainAnswer     Kind = "chain-answer"
	KindOther           Kind = "other"
	KindUnreadable      Kind = "unreadable"
)

// unwrap goes through what a message is wrapped in, and tells so.
func (r *reading) unwrap() *element {
	e := r.root
	for e != nil {
		switch {
		case e.is("Envelope") && e.space == spaceSOAP:
			r.around = append(r.around, say("SOAP-envelop: het bericht gaat rechtstreeks van server naar server, niet door de browser.",
				"SOAP envelope: the message goes straight from server to server, not through the browser."))
			inner := e.child("Body")
			if inner == nil || len(inner.children) == 0 {
				return e
			}
			e = inner.children[0]
		case e.is("ArtifactResponse"):
			inner := messageIn(e)
			if inner == nil {
				return e
			}
			r.around = append(r.around, say("ArtifactResponse: wie een artifact inwisselt, krijgt hierin het bericht dat erbij hoort. De Status van de ArtifactResponse gaat alleen over het inwisselen.",
				"ArtifactResponse: whoever exchanges an artifact gets in it the message that belongs to it. The Status of the ArtifactResponse is only about the exchange."))
			e = inner
		default:
			return e
		}
	}
	return nil
}

// messageIn is the message that an ArtifactResponse brings, or nil.
func messageIn(e *element) *element {
	for _, c := range e.children {
		if !c.is("Issuer", "Signature", "Extensions", "Status") {
			return c
		}
	}
	return nil
}

func (r *reading) kindOf(e *element) Kind {
	switch {
	case e == nil && r.parameter("SAMLart") != nil:
		return KindArtifact
	case e == nil:
		return KindUnreadable
	case e.is("AuthnRequest"):
		return KindAuthnRequest
	case e.is("XACMLAuthzDecisionQuery"):
		return questionOf(e)
	case e.is("Response") && e.space == spaceProtocol:
		return answerOf(e)
	case e.is("ArtifactResolve"):
		return KindResolve
	case e.is("ArtifactResponse"):
		return KindNothingResolved
	case e.is("Fault") && e.space == spaceSOAP:
		return KindFault
	case strings.HasPrefix(e.local, "ChainInformation"):
		if strings.HasSuffix(e.local, "Response") {
			return KindChainAnswer
		}
		return KindChainQuestion
	}
	return KindOther
}

// roleOf is the role of whoever made an element, as he says himself.
func roleOf(e *element) etoegang.Role {
	issuer := e.child("Issuer")
	if issuer == nil {
		return ""
	}
	return roleIn(issuer.value())
}

func roleIn(entity string) etoegang.Role {
	parsed, err := etoegang.ParseEntityID(entity)
	if err != nil {
		return ""
	}
	return parsed.Role()
}

// questionOf tells which of the three questions a query asks: it follows from who asks and
// what he brings.
func questionOf(query *element) Kind {
	if roleOf(query) == etoegang.Provider {
		return KindRecheck
	}
	kind := KindAuthorize
	query.child("Extensions").each(func(e *element) {
		if e.is("Assertion") && roleOf(e) == etoegang.Register {
			kind = KindConfirm
		}
	})
	return kind
}

func answerOf(response *element) Kind {
	assertion := response.child("Assertion")
	if assertion == nil {
		if response.child("EncryptedAssertion") != nil {
			return KindResponse
		}
		return KindRefusal
	}
	switch roleOf(assertion) {
	case etoegang.Authenticator:
		return KindLogin
	case etoegang.Register:
		return KindStatement
	case etoegang.Broker:
		return KindCombination
	}
	return KindResponse
}

// kindWords are what is said of a kind of message.
type kindWords struct {
	title, purpose look.Text
	checks         []look.Text
}

var kinds = map[Kind]kindWords{
	KindAuthnRequest: {
		look.Text{NL: "Inlogverzoek (AuthnRequest)", EN: "Request to log in (AuthnRequest)"},
		look.Text{NL: "De afzender vraagt de ontvanger om de gebruiker te laten inloggen: een dienstverlener aan zijn makelaar, of de makelaar aan een authenticatiedienst.",
			EN: "The sender asks the receiver to let the user log in: a service provider asks its broker, or the broker an authentication service."},
		[]look.Text{
			{NL: "De ontvanger controleert de handtekening met de metadata van de afzender.", EN: "The receiver checks the signature against the sender's metadata."},
			{NL: "De ontvanger controleert dat Destination zijn eigen adres is, en dat het verzoek niet oud of al eens gebruikt is.", EN: "The receiver checks that Destination is its own address, and that the request is not old and was not used before."},
		}},
	KindLogin: {
		look.Text{NL: "Wie heeft ingelogd (antwoord van de authenticatiedienst)", EN: "Who logged in (answer of the authentication service)"},
		look.Text{NL: "De authenticatiedienst verklaart aan de makelaar dat iemand heeft ingelogd, op welk niveau, en welk machtigingenregister weet voor wie die persoon mag handelen. Wie het is, kan alleen dat register lezen.",
			EN: "The authentication service states to the broker that somebody logged in, at which level, and which mandate register knows for whom that person may act. Who it is can be read by that register only."},
		[]look.Text{
			{NL: "De makelaar controleert beide handtekeningen, InResponseTo, Destination, de geldigheid (Conditions) en dat hijzelf bij Audience staat.", EN: "The broker checks both signatures, InResponseTo, Destination, the validity (Conditions), and that it is named as an Audience."},
			{NL: "Het register controleert dezelfde verklaring straks nog eens zelf.", EN: "The register will check the same assertion once more for itself."},
		}},
	KindAuthorize: {
		look.Text{NL: "Mag deze persoon dit? (vraag van de makelaar aan het machtigingenregister)", EN: "May this person do this? (question of the broker to the mandate register)"},
		look.Text{NL: "De makelaar vraagt het register van de gebruiker of hij deze dienst mag gebruiken, en namens wie. De verklaring van de authenticatiedienst gaat ongewijzigd mee.",
			EN: "The broker asks the user's register whether he may use this service, and on whose behalf. The assertion of the authentication service travels along unchanged."},
		[]look.Text{
			{NL: "Het register controleert alle handtekeningen voordat het iets leest: die van de makelaar over de vraag en die van de authenticatiedienst over de inlog.", EN: "The register checks all signatures before it reads anything: the broker's over the question, and the authentication service's over the log-in."},
			{NL: "Het controleert Destination, de leeftijd van de vraag, dat ID niet eerder gezien is, dat de inlog voor dit register is (AuthorizationRegistryID, Audience) en over dezelfde dienst gaat.", EN: "It checks Destination, the age of the question, that ID was not seen before, that the log-in is for this register (AuthorizationRegistryID, Audience) and about the same service."},
		}},
	KindConfirm: {
		look.Text{NL: "Bevestigt u de tweede schakel? (vraag van de makelaar aan het tweede machtigingenregister)", EN: "Do you confirm the second link? (question of the broker to the second mandate register)"},
		look.Text{NL: "Het eerste register zei ja, maar alleen over zijn eigen schakel van de keten. De makelaar vraagt nu het register van het vertegenwoordigde bedrijf of dat bedrijf de intermediair heeft gemachtigd.",
			EN: "The first register said yes, but only about its own link of the chain. The broker now asks the register of the represented company whether that company mandated the intermediary."},
		[]look.Text{
			{NL: "Het tweede register controleert dat de verklaring van het eerste register Permit zegt, dit register noemt in de verplichting, en verwijst naar precies deze inlog (LinkedDeclarationSignatureValue, AssertionIDRef).", EN: "The second register checks that the first register's assertion says Permit, names this register in its obligation, and refers to exactly this log-in (LinkedDeclarationSignatureValue, AssertionIDRef)."},
			{NL: "Dit gaat rechtstreeks van server naar server: de gebruiker ziet het tweede register niet.", EN: "This goes straight from server to server: the user does not see the second register."},
		}},
	KindRecheck: {
		look.Text{NL: "Geldt het nog? (vraag van de dienstverlener aan een machtigingenregister)", EN: "Does it still hold? (question of the service provider to a mandate register)"},
		look.Text{NL: "De dienstverlener vraagt of de machtiging waarmee iemand eerder inlogde nu nog geldt. Hij stuurt de verklaring mee die hij van zijn makelaar kreeg.",
			EN: "The service provider asks whether the mandate with which somebody logged in earlier still holds now. It sends along the assertion that it got from its broker."},
		[]look.Text{{NL: "Het register controleert alle handtekeningen, en dat het zelf een van de verklaringen in Advice heeft gemaakt.", EN: "The register checks all signatures, and that it made one of the assertions in Advice itself."}}},
	KindStatement: {
		look.Text{NL: "De uitspraak van het machtigingenregister", EN: "The decision of the mandate register"},
		look.Text{NL: "Het register verklaart of de persoon mag handelen, voor welk bedrijf en op welk niveau. Het bedrijf is versleuteld voor de dienstverlener; de makelaar kan het niet lezen.",
			EN: "The register states whether the person may act, for which company and at which level. The company is encrypted for the service provider; the broker cannot read it."},
		[]look.Text{
			{NL: "De makelaar controleert beide handtekeningen, InResponseTo en Destination, en dat de uitspraak over deze inlog gaat (AssertionIDRef, LinkedDeclarationSignatureValue).", EN: "The broker checks both signatures, InResponseTo and Destination, and that the decision is about this log-in (AssertionIDRef, LinkedDeclarationSignatureValue)."},
			{NL: "Staat er een verplichting RequireConfirmationFromNextMR bij, dan mag de makelaar deze uitspraak niet gebruiken voordat het genoemde register haar bevestigt.", EN: "If there is an obligation RequireConfirmationFromNextMR, the broker must not use this decision before the register named there has confirmed it."},
		}},
	KindCombination: {
		look.Text{NL: "Het antwoord voor de dienstverlener", EN: "The answer for the service provider"},
		look.Text{NL: "De makelaar vertelt de dienstverlener in één verklaring wie er inlogde en namens wie. De verklaringen van de authenticatiedienst en de registers zitten er compleet bij, in Advice, als bewijs.",
			EN: "The broker tells the service provider in one assertion who logged in and on whose behalf. The assertions of the authentication service and of the registers come with it complete, in Advice, as evidence."},
		[]look.Text{
			{NL: "De dienstverlener controleert de handtekening van de makelaar, InResponseTo (hoort het bij een eigen verzoek?), Destination, Audience (ben ik dat?), de geldigheid, en dat hij dit bericht niet al eens kreeg.", EN: "The service provider checks the broker's signature, InResponseTo (does it belong to a request of its own?), Destination, Audience (is that me?), the validity, and that it did not get this message before."},
			{NL: "Daarna leest hij LegalSubjectID: het bedrijf. Staat IntermediateEntityID erbij, dan handelt de persoon namens dat bedrijf via een intermediair.", EN: "Then it reads LegalSubjectID: the company. If IntermediateEntityID is there, the person acts for that company through an intermediary."},
		}},
	KindRefusal: {
		look.Text{NL: "Nee, of het lukte niet (antwoord zonder verklaring)", EN: "No, or it failed (answer without an assertion)"},
		look.Text{NL: "De afzender verklaart niets. De Status zegt waarom: de gebruiker stopte, mag dit niet, of er ging iets mis.",
			EN: "The sender states nothing. The Status says why: the user gave up, may not do this, or something failed."},
		[]look.Text{{NL: "De ontvanger controleert de handtekening en InResponseTo, en laat de gebruiker niet binnen.", EN: "The receiver checks the signature and InResponseTo, and does not let the user in."}}},
	KindResponse: {
		look.Text{NL: "Antwoord (Response)", EN: "Answer (Response)"},
		look.Text{NL: "Een antwoord met een verklaring van iemand wiens rol in het netwerk wij niet kennen.", EN: "An answer with an assertion of somebody whose role in the network we do not know."},
		[]look.Text{{NL: "De ontvanger controleert wie het ondertekende, en of die zoiets mag verklaren.", EN: "The receiver checks who signed it, and whether that one may state such things."}}},
	KindResolve: {
		look.Text{NL: "Het artifact inwisselen (ArtifactResolve)", EN: "Exchanging the artifact (ArtifactResolve)"},
		look.Text{NL: "De browser bracht alleen een artifact: een bewijsje. Wie het kreeg, vraagt hiermee rechtstreeks bij de uitgever het echte bericht op.",
			EN: "The browser brought only an artifact: a token. Whoever got it asks its issuer directly for the real message with this."},
		[]look.Text{{NL: "De uitgever controleert de handtekening, dat het bericht voor deze vrager bestemd is, en geeft het één keer.", EN: "The issuer checks the signature, and that the message is meant for whoever asks, and gives it once."}}},
	KindNothingResolved: {
		look.Text{NL: "Er is niets (meer) bij dit artifact (ArtifactResponse)", EN: "There is nothing behind this artifact, or no longer (ArtifactResponse)"},
		look.Text{NL: "Het inwisselen leverde geen bericht op: het artifact is al gebruikt, te oud, of voor iemand anders.", EN: "The exchange gave no message: the artifact was used already, is too old, or is for somebody else."},
		[]look.Text{{NL: "Wie het artifact kreeg, laat de gebruiker niet binnen.", EN: "Whoever got the artifact does not let the user in."}}},
	KindArtifact: {
		look.Text{NL: "Een artifact, via de browser", EN: "An artifact, through the browser"},
		look.Text{NL: "De browser van de gebruiker brengt niet het bericht zelf maar een artifact. Daarmee haalt de ontvanger het bericht op bij de uitgever, zonder dat de browser het ziet.",
			EN: "The user's browser does not bring the message itself but an artifact. The receiver fetches the message with it from the issuer, and the browser does not see it."},
		[]look.Text{{NL: "De ontvanger zoekt aan de SourceID op wiens artifact het is, en wisselt het daar meteen in.", EN: "The receiver finds by the SourceID whose artifact it is, and exchanges it there at once."}}},
	KindFault: {
		look.Text{NL: "Foutmelding (SOAP Fault)", EN: "Error (SOAP Fault)"},
		look.Text{NL: "De ontvanger kon niets met het bericht en weet niet zeker van wie het kwam. Daarom krijgt de afzender geen ondertekend antwoord, maar deze melding. Zij zegt met opzet weinig.",
			EN: "The receiver could do nothing with the message and is not sure who sent it. So the sender gets no signed answer but this. It says little on purpose."},
		[]look.Text{{NL: "De afzender zoekt de oorzaak in zijn eigen bericht: handtekening, adres, tijd, of een ID dat al gebruikt is. De verwijzing helpt de beheerder van de ontvanger.", EN: "The sender looks for the cause in its own message: signature, address, time, or an ID that was used before. The reference helps the operator of the receiver."}}},
	KindChainQuestion: {
		look.Text{NL: "Wie liet zich via deze intermediair machtigen? (vraag van register aan register)", EN: "Who is represented by this intermediary? (question of register to register)"},
		look.Text{NL: "Het ene register vraagt het andere welke bedrijven een intermediair hebben gemachtigd, om de gebruiker te laten kiezen. Deze vraag beslist niets. De vorm is voorlopig.",
			EN: "One register asks another which companies mandated an intermediary, so that the user can choose. This question decides nothing. Its form is provisional."},
		nil},
	KindChainAnswer: {
		look.Text{NL: "De bedrijven van deze intermediair (antwoord van register aan register)", EN: "The companies of this intermediary (answer of register to register)"},
		look.Text{NL: "Het gevraagde register noemt de bedrijven en diensten. Of een machtiging echt geldt, blijkt pas bij de bevestiging. De vorm is voorlopig.",
			EN: "The register that was asked lists companies and services. Whether a mandate really holds is only known by the confirmation. Its form is provisional."},
		nil},
	KindOther: {
		look.Text{NL: "Een bericht dat wij niet kennen", EN: "A message that we do not know"},
		look.Text{NL: "Dit is XML, maar geen bericht van een inlog dat wij kunnen uitleggen.", EN: "This is XML, but no message of a log-in that we can explain."}, nil},
	KindUnreadable: {
		look.Text{NL: "Onleesbaar bericht", EN: "Unreadable message"},
		look.Text{NL: "Hier is geen bericht uit te halen.", EN: "No message can be found in this."}, nil},
}
