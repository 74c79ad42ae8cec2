package api

import (
	"net/http"

	"github.com/mandated/mandated/internal/desk"
	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// said is what a problem says in one language: what is wrong, and what to do next.
type said struct{ title, next string }

// refusal is one way in which the API says no. The code never changes; sentences may become
// better.
type refusal struct {
	code   string
	status int
	en, nl said
	errs   []error // of the rooms below that are told so
}

// The codes of changes that may have been made.
const (
	codeUnheard   = "unheard"
	codeUncertain = "uncertain"
)

// The refusals that come from this room alone.
var (
	refusedCaller = refusal{"caller-unknown", http.StatusUnauthorized,
		said{"It is not clear who is calling.", "Show a client certificate that was registered for an appointment, or a bearer token signed by such a key."},
		said{"Het is niet duidelijk wie dit vraagt.", "Toon een clientcertificaat dat voor een aanwijzing is vastgelegd, of een token dat met zo'n sleutel is ondertekend."}, nil}
	refusedToken = refusal{"token-refused", http.StatusUnauthorized,
		said{"The bearer token is not accepted.", "Sign a new one with the registered key: aud is the address of this register, iat and exp are at most 5 minutes apart, and jti is used once."},
		said{"Het token wordt niet aanvaard.", "Onderteken een nieuw token met de vastgelegde sleutel: aud is het adres van dit register, tussen iat en exp zit hooguit 5 minuten, en jti wordt één keer gebruikt."}, nil}
	refusedSeveral = refusal{"several-appointments", http.StatusForbidden,
		said{"This key belongs to several appointments.", "Name one of yours by its number: in sub of the token, or in the header Appointment with a certificate."},
		said{"Deze sleutel hoort bij meer aanwijzingen.", "Noem het nummer van een van de uwe: in sub van het token, of bij een certificaat in de header Appointment."}, nil}
	refusedRole = refusal{"role", http.StatusForbidden,
		said{"Your role may not do this.", "See x-roles of this operation in /openapi.json."},
		said{"Uw rol mag dit niet.", "Zie x-roles van deze bewerking in /openapi.json."}, nil}
	refusedInput = refusal{"input-invalid", http.StatusBadRequest,
		said{"The request is not as the OpenAPI document says.", "See errors: each names a place in the request."},
		said{"Het verzoek is niet zoals het OpenAPI-document zegt.", "Zie errors: elke fout noemt een plaats in het verzoek."}, nil}
	refusedCursor = refusal{"cursor-invalid", http.StatusBadRequest,
		said{"This cursor is not one of this list.", "Begin again without a cursor, or use the same parameters as on the page before."},
		said{"Deze cursor hoort niet bij deze lijst.", "Begin opnieuw zonder cursor, of gebruik dezelfde parameters als op de vorige pagina."}, nil}
	refusedRevision = refusal{"revision-unknown", http.StatusNotFound,
		said{"The register has no such revision.", "Use a revision that the register gave you; after a restore, read everything again from since=0."},
		said{"Het register heeft die revisie niet.", "Gebruik een revisie die u van het register kreeg; lees na een herstel alles opnieuw vanaf since=0."}, nil}
	refusedPath = refusal{"path-unknown", http.StatusNotFound,
		said{"There is nothing at this address.", "See /openapi.json for the addresses there are."},
		said{"Op dit adres is niets.", "Zie /openapi.json voor de adressen die er zijn."}, nil}
	refusedMethod = refusal{"method-unknown", http.StatusMethodNotAllowed,
		said{"This address does not know that method.", "See /openapi.json for the methods there are."},
		said{"Dit adres kent die methode niet.", "Zie /openapi.json voor de methoden die er zijn."}, nil}
	refusedOrigin = refusal{"cross-origin", http.StatusForbidden,
		said{"This request comes from a page of another site.", "Let a program call this address, not a page in a browser."},
		said{"Dit verzoek komt van een pagina van een andere site.", "Laat een programma dit adres aanroepen, niet een pagina in een browser."}, nil}
	refusedType = refusal{"type-unknown", http.StatusUnsupportedMediaType,
		said{"This kind of content cannot be read here.", "Set Content-Type to one that the OpenAPI document names."},
		said{"Dit soort inhoud kan hier niet worden gelezen.", "Zet Content-Type op een soort die het OpenAPI-document noemt."}, nil}
	refusedAccept = refusal{"accept-unknown", http.StatusNotAcceptable,
		said{"This kind of answer cannot be given here.", "Accept one that the OpenAPI document names."},
		said{"Dit soort antwoord kan hier niet worden gegeven.", "Accepteer een soort die het OpenAPI-document noemt."}, nil}
	refusedSize = refusal{"too-large", http.StatusRequestEntityTooLarge,
		said{"That is too much at once.", "Send at most 1 MiB, or 64 MiB and 100,000 lines to /imports."},
		said{"Dat is te veel in één keer.", "Stuur hooguit 1 MiB, of naar /imports 64 MiB en 100.000 regels."}, nil}
	refusedSlow = refusal{"too-slow", http.StatusRequestTimeout,
		said{"The request did not arrive in time.", "Send it again, faster or in parts."},
		said{"Het verzoek kwam niet op tijd aan.", "Stuur het opnieuw, sneller of in delen."}, nil}
	refusedPace = refusal{"too-often", http.StatusTooManyRequests,
		said{"Too many requests come from your address.", "Wait as long as Retry-After says. To change much at once there is /imports, to read much /exports and /changes."},
		said{"Er komen te veel verzoeken van uw adres.", "Wacht zo lang als Retry-After zegt. Om veel tegelijk te wijzigen is er /imports, om veel te lezen /exports en /changes."}, nil}
	refusedNow = refusal{"busy", http.StatusTooManyRequests,
		said{"Others are uploading at this moment.", "Try again in a minute."},
		said{"Anderen zijn op dit moment aan het uploaden.", "Probeer het over een minuut opnieuw."}, nil}
	refusedKey = refusal{"idempotency-key-reused", http.StatusConflict,
		said{"This Idempotency-Key was used for another upload.", "Use a new key for each upload, and the old one only to repeat the very same."},
		said{"Deze Idempotency-Key is voor een andere upload gebruikt.", "Gebruik voor elke upload een nieuwe sleutel, en de oude alleen om precies dezelfde te herhalen."}, nil}
	refusedKeyless = refusal{"idempotency-key-missing", http.StatusBadRequest,
		said{"An upload needs an Idempotency-Key.", "Add the header with a new random value, and keep it to repeat the upload if the answer is lost."},
		said{"Een upload heeft een Idempotency-Key nodig.", "Voeg de header toe met een nieuwe willekeurige waarde, en bewaar die om de upload te herhalen als het antwoord wegraakt."}, nil}
	refusedFile = refusal{"file-invalid", http.StatusBadRequest,
		said{"The upload cannot be read.", "See errors, and send it again as CSV or JSON lines."},
		said{"De upload kan niet worden gelezen.", "Zie errors, en stuur hem opnieuw als CSV of JSON-regels."}, nil}
	refusedCatalogue = refusal{"catalogue-missing", http.StatusServiceUnavailable,
		said{"The register has no service catalogue at this moment.", "Try again later."},
		said{"Het register heeft op dit moment geen dienstencatalogus.", "Probeer het later opnieuw."}, nil}
	refusedEverything = refusal{"internal", http.StatusInternalServerError,
		said{"Something went wrong in the register.", "Look whether the change was made before you try again. If this stays, tell the register's staff when it happened."},
		said{"Er ging iets mis in het register.", "Kijk of de wijziging is gedaan voordat u het opnieuw probeert. Blijft dit zo, meld dan aan het register wanneer het gebeurde."}, nil}
)

// refusals is the one table from errors of the rooms below to what callers are told.
var refusals = []refusal{
	{"not-client", http.StatusBadRequest,
		said{"This company has given your organisation no mandate.", "Ask it for one first: a team works for clients of yours."},
		said{"Dit bedrijf heeft uw organisatie geen machtiging gegeven.", "Vraag het daar eerst om: een team werkt voor klanten van u."}, []error{desk.ErrNotClient}},
	{"not-found", http.StatusNotFound,
		said{"Your organisation has nothing with this number.", "Check the number; lists of yours are at /mandates and /teams, and of the register's staff at /parties."},
		said{"Uw organisatie heeft niets met dit nummer.", "Controleer het nummer; lijsten van de uwe staan op /mandates en /teams, en voor medewerkers van het register op /parties."},
		[]error{register.ErrNotFound}},
	{"not-yours", http.StatusNotFound,
		said{"That would be a mandate between others.", "Name your own organisation as the grantor, or as the intermediary."},
		said{"Dat zou een machtiging tussen anderen zijn.", "Noem uw eigen organisatie als gever of als intermediair."},
		[]error{mandate.ErrNotYours}},

	{"appointment-over", http.StatusForbidden,
		said{"This appointment does not hold now.", "Ask an administrator of your organisation to appoint the program again."},
		said{"Deze aanwijzing geldt nu niet.", "Vraag een beheerder van uw organisatie om het programma opnieuw aan te wijzen."},
		[]error{mandate.ErrNotAppointed}},
	{"may-only-read", http.StatusForbidden,
		said{"This program may only read.", "Ask an administrator of your organisation for an appointment as program."},
		said{"Dit programma mag alleen lezen.", "Vraag een beheerder van uw organisatie om een aanwijzing als programma."},
		[]error{mandate.ErrMayOnlyRead}},
	{"may-not-appoint", http.StatusForbidden,
		said{"This needs an administrator or a director.", "Let one of them do it on the pages of the register."},
		said{"Dit kan alleen een beheerder of een bestuurder.", "Laat een van hen het doen op de pagina's van het register."},
		[]error{mandate.ErrMayNotAppoint, mandate.ErrLastAdministrator}},
	{"above-level", http.StatusForbidden,
		said{"The level is higher than that of the appointment.", "Choose a lower level, or ask for an appointment at this one."},
		said{"Het niveau is hoger dan dat van de aanwijzing.", "Kies een lager niveau, of vraag een aanwijzing op dit niveau."},
		[]error{mandate.ErrAboveLevel}},
	{"outlasts-appointment", http.StatusForbidden,
		said{"It would last longer than the appointment.", "Choose an end before that of the appointment, or have that renewed."},
		said{"Het zou langer duren dan de aanwijzing.", "Kies een einde vóór dat van de aanwijzing, of laat die verlengen."},
		[]error{mandate.ErrOutlasts}},
	{"in-person", http.StatusForbidden,
		said{"A mandate at loa4 is made in person.", "Ask the register's staff, or choose a lower level."},
		said{"Een machtiging op loa4 wordt in persoon gemaakt.", "Vraag het aan de medewerkers van het register, of kies een lager niveau."},
		[]error{mandate.ErrInPerson}},
	{"on-paper", http.StatusForbidden,
		said{"This must be done on paper.", "Ask the register's staff which form is needed."},
		said{"Dit moet op papier.", "Vraag de medewerkers van het register welk formulier nodig is."},
		[]error{mandate.ErrNoSigner, mandate.ErrStanding}},
	{"papers", http.StatusBadRequest,
		said{"The papers are not enough to record this.", "Tell of the signed form and of an extract of at most 14 days: kind, date and where each lies. At loa4 everybody must have been seen in person, too."},
		said{"De bewijsstukken zijn niet genoeg om dit vast te leggen.", "Noem het getekende formulier en een uittreksel van hooguit 14 dagen oud: soort, datum en waar elk ligt. Op loa4 moet ook iedereen in persoon gezien zijn."},
		[]error{mandate.ErrEvidence, mandate.ErrDismissal, mandate.ErrOldExtract, mandate.ErrPaper}},
	{"four-eyes", http.StatusForbidden,
		said{"Another of the register's staff must confirm this, as it stands.", "Let a colleague look at the papers and agree to it, or refuse it."},
		said{"Een andere medewerker van het register moet dit bevestigen, zoals het er staat.", "Laat een collega de bewijsstukken bekijken en akkoord gaan, of weigeren."},
		[]error{mandate.ErrFourEyes}},
	{"other-side", http.StatusForbidden,
		said{"The other side must do this.", "Ask them: who suspended a mandate lets it go on, and who did not ask for it answers."},
		said{"Dit moet de andere kant doen.", "Vraag het daar: wie een machtiging heeft stilgezet, laat hem weer gelden, en wie iets niet zelf vroeg, geeft antwoord."},
		[]error{mandate.ErrOtherSide, mandate.ErrOwnRequest}},
	{"signed-already", http.StatusConflict,
		said{"You have signed this already.", "Somebody else of the organisation must sign, too."},
		said{"U hebt dit al getekend.", "Iemand anders van de organisatie moet ook tekenen."},
		[]error{mandate.ErrSignedAlready}},

	{"not-asked", http.StatusConflict,
		said{"Nothing is asked for here any more.", "Look at the mandate: it was answered, withdrawn or has ended."},
		said{"Hier wordt niets meer gevraagd.", "Bekijk de machtiging: de aanvraag is beantwoord of teruggetrokken, of de machtiging is afgelopen."},
		[]error{mandate.ErrNotAsked, mandate.ErrRequestExpired}},
	{"not-in-force", http.StatusConflict,
		said{"The state of the mandate does not allow this.", "Look at the mandate: its state tells what can be done."},
		said{"De status van de machtiging laat dit niet toe.", "Bekijk de machtiging: de status zegt wat er kan."},
		[]error{mandate.ErrNotInForce, register.ErrSuperseded, mandate.ErrState}},
	{"overlap", http.StatusConflict,
		said{"The same is already granted or asked for in part of this time.", "See mandate: use that one, let yours supersede it, or choose another time."},
		said{"Hetzelfde is in een deel van deze tijd al gegeven of gevraagd.", "Zie mandate: gebruik die, laat de uwe hem vervangen, of kies een andere tijd."},
		[]error{register.ErrOverlap}},
	{"ended-before", http.StatusConflict,
		said{"Just this mandate was there before and has ended.", "See mandate; to have it again, choose another start or end."},
		said{"Precies deze machtiging was er eerder en is afgelopen.", "Zie mandate; kies een ander begin of einde om hem opnieuw te krijgen."},
		[]error{desk.ErrEnded}},
	{"client-chain", http.StatusConflict,
		said{"That is no chain mandate to your organisation that can be passed on.", "Name in client a chain mandate of yours that has not ended; see /clients."},
		said{"Dat is geen ketenmachtiging aan uw organisatie die u kunt doorgeven.", "Noem in client een ketenmachtiging van u die niet is afgelopen; zie /clients."},
		[]error{register.ErrClient}},
	{"not-narrower", http.StatusConflict,
		said{"Nothing would change.", "Leave out of scope, establishments or until what should go."},
		said{"Er zou niets veranderen.", "Laat uit scope, establishments of until weg wat weg moet."},
		[]error{mandate.ErrNotNarrower}},
	{"wider", http.StatusConflict,
		said{"That is more than the mandate has.", "Ask for a new one that supersedes it, or stay within its scope, time and establishments."},
		said{"Dat is meer dan de machtiging heeft.", "Vraag een nieuwe die hem vervangt, of blijf binnen het bereik, de tijd en de vestigingen ervan."},
		[]error{mandate.ErrWidensScope, mandate.ErrWidensTime, mandate.ErrWidensEstablishment, mandate.ErrOthers}},
	{"successor", http.StatusConflict,
		said{"That cannot take the place of this mandate.", "Keep the parties the same, and let it begin at once or when the other ends."},
		said{"Dat kan niet in de plaats van deze machtiging komen.", "Houd de partijen gelijk, en laat hem direct beginnen of als de andere eindigt."},
		[]error{mandate.ErrSuccessor}},
	{"rsin-taken", http.StatusConflict,
		said{"Another organisation has this RSIN.", "Check the number."},
		said{"Een andere organisatie heeft dit RSIN.", "Controleer het nummer."},
		[]error{register.ErrRSINTaken}},

	{"parties", http.StatusBadRequest,
		said{"The parties do not belong to this kind of mandate.", "A direct mandate goes to a person; a chain to another organisation; an assignment to a person, for a client's chain mandate."},
		said{"De partijen horen niet bij deze soort machtiging.", "Een directe machtiging gaat naar een persoon; een keten naar een andere organisatie; een toewijzing naar een persoon, voor de ketenmachtiging van een klant."},
		[]error{mandate.ErrParties, mandate.ErrSelf, mandate.ErrClient, mandate.ErrElsewhere, register.ErrNoIdentity, register.ErrUnknownParty, register.ErrReserved}},
	{"person-unknown", http.StatusBadRequest,
		said{"Your organisation knows nobody with this number.", "Name the person by authenticator and pseudonym."},
		said{"Uw organisatie kent niemand met dit nummer.", "Noem de persoon met authenticator en pseudonym."},
		[]error{desk.ErrPerson}},
	{"service-unknown", http.StatusBadRequest,
		said{"The service catalogue does not have a service or provider of this scope.", "Search it at /services."},
		said{"De dienstencatalogus heeft een dienst of dienstverlener uit dit bereik niet.", "Zoek erin op /services."},
		[]error{mandate.ErrUnlisted}},
	{"scope", http.StatusBadRequest,
		said{"The scope is not one that a mandate can have.", "Name each service, provider or everything once, at loa2, loa2plus, loa3 or loa4."},
		said{"Dit bereik kan een machtiging niet hebben.", "Noem elke dienst, dienstverlener of alles één keer, op loa2, loa2plus, loa3 of loa4."},
		[]error{mandate.ErrEmptyScope, mandate.ErrScopeItem, mandate.ErrScopeTwice, mandate.ErrLevel, mandate.ErrEstablishments}},
	{"validity", http.StatusBadRequest,
		said{"The start and end are not ones that a mandate can have.", "Start today or later, end after the start and at most 5 years later, in whole seconds."},
		said{"Dit begin en einde kan een machtiging niet hebben.", "Begin vandaag of later, eindig na het begin en hooguit 5 jaar later, in hele seconden."},
		[]error{mandate.ErrNoEnd, mandate.ErrOrder, mandate.ErrTooLong, mandate.ErrBackdated, mandate.ErrPrecision}},
	{"text", http.StatusBadRequest,
		said{"A text cannot be kept.", "Write a reference or a reason of at most 255 bytes, without control characters."},
		said{"Een tekst kan niet worden bewaard.", "Schrijf een kenmerk of een reden van hooguit 255 bytes, zonder stuurtekens."},
		[]error{mandate.ErrReference, register.ErrText, register.ErrConsent, register.ErrAuthor, desk.ErrWhy}},
	{"appointment-invalid", http.StatusBadRequest,
		said{"That is not an appointment as the register keeps them.", "Check the role, the name and what the program shows."},
		said{"Zo'n aanwijzing kan het register niet bewaren.", "Controleer de rol, de naam en wat het programma toont."},
		[]error{mandate.ErrRole, mandate.ErrAuthority, mandate.ErrName, mandate.ErrContact, register.ErrCredential, register.ErrInvitation, register.ErrEntry,
			desk.ErrNoKey, desk.ErrSecretKey, desk.ErrDamagedKey, desk.ErrUnusableKey, desk.ErrEndedCertificate}},
	{"team-name", http.StatusBadRequest,
		said{"This is not a name for a team.", "Write one of at most 100 bytes, by which colleagues know it."},
		said{"Dit is geen naam voor een team.", "Schrijf er een van hooguit 100 bytes, waaraan collega's het team herkennen."},
		[]error{mandate.ErrTeam}},
	{"team-at-work", http.StatusConflict,
		said{"There are still people in this team.", "Take them out of it first: then you see what each of them loses."},
		said{"Er zitten nog mensen in dit team.", "Haal hen er eerst uit: dan ziet u wat ieder van hen kwijtraakt."},
		[]error{desk.ErrTeamAtWork}},
	{"invitation", http.StatusForbidden,
		said{"This invitation is not for you, was used or has expired.", "Ask for a new one."},
		said{"Deze uitnodiging is niet voor u, is gebruikt of is verlopen.", "Vraag een nieuwe."},
		[]error{mandate.ErrInvited, mandate.ErrInvitationUsed, mandate.ErrInvitationExpired, mandate.ErrLowLogin, mandate.ErrOtherCompany, mandate.ErrSamePerson}},

	{codeUnheard, http.StatusServiceUnavailable,
		said{"The change is made, but not every part of the register has heard of it yet.", "Do not repeat it. It holds within seconds; look at the mandate."},
		said{"De wijziging is gedaan, maar nog niet elk deel van het register weet het.", "Herhaal dit niet. Het geldt binnen enkele seconden; bekijk de machtiging."},
		[]error{register.ErrUnheard}},
	{codeUncertain, http.StatusServiceUnavailable,
		said{"It is not certain whether the change was made.", "Look at the mandate before you try again."},
		said{"Het is niet zeker of de wijziging is gedaan.", "Bekijk de machtiging voordat u het opnieuw probeert."},
		[]error{register.ErrUncertain}},
	{"unavailable", http.StatusServiceUnavailable,
		said{"The register cannot do this at this moment. Nothing was changed.", "Try again later."},
		said{"Het register kan dit op dit moment niet. Er is niets gewijzigd.", "Probeer het later opnieuw."},
		[]error{register.ErrBusy, register.ErrUnreachable, register.ErrStandby, register.ErrReadOnly, register.ErrFull, register.ErrClosed, register.ErrClock}},
	{"internal", http.StatusInternalServerError, refusedEverything.en, refusedEverything.nl, // who keeps the register is told, in its log
		[]error{register.ErrExists, register.ErrMissing, register.ErrNotRegister, register.ErrNewerSchema, register.ErrOlderSchema,
			register.ErrNoStandby, register.ErrStaleCatalogue, register.ErrDigest, register.ErrNotice, desk.ErrUsesBehind,
			mandate.ErrPrices, mandate.ErrServiceSet}},
}
