package explain

import (
	"github.com/mandated/mandated/internal/look"
	"github.com/mandated/mandated/pkg/etoegang"
)

// meaning is what an element, an attribute or a value means, and which page says so.
type meaning struct {
	look.Text
	source string
}

// Sources: pages of the scheme (afsprakenstelsel.etoegang.nl, 1.13), and the standards below
// them. Where the scheme gives no text that could be read, the source says that it is our
// reading.
const (
	pageQuery     = "eHerkenning 1.13, Interface specifications HM-MR"
	pageResponse  = "eHerkenning 1.13, Interface specifications HM-MR response"
	pageChain     = "eHerkenning 1.13, Interface specifications HM-MR chain authorization"
	pageBindings  = "eHerkenning 1.13, Bindings"
	pageWeb       = "eHerkenning 1.13, Interface specifications web"
	pageErrors    = "eHerkenning 1.13, Error handling"
	pageSignature = "eHerkenning 1.13, Digital signature"
	pageSealing   = "eHerkenning 1.13, SAML encryption"
	pageEndToEnd  = "eHerkenning 1.13, End-to-end encryption"
	pageSubject   = "eHerkenning 1.13, LegalSubjectID"
	pageLinked    = "eHerkenning 1.13, LinkedDeclarationSignatureValue"
	pageServiceID = "eHerkenning 1.13, ServiceID"
	pageEntityID  = "eHerkenning 1.13, EntityID"
	pagePseudo    = "eHerkenning 1.13, Specific pseudonym"
	pageCatalogue = "eHerkenning 1.13, Service catalog"
	pageProvider  = "eHerkenning 1.13, Interface specifications DV-HM"
	pageAnswer    = "eHerkenning 1.13, Interface specifications DV-HM response"
	pageLogin     = "eHerkenning 1.13, Interface specifications HM-AD"
	pageClocks    = "eHerkenning 1.13, Synchronize system clocks"
	pageAttribute = "eHerkenning 1.13, Attribute catalogue"
	pageKinds     = "eHerkenning 1.13, Identificerende kenmerken"
	samlCore      = "SAML 2.0 core"
	samlBindings  = "SAML 2.0 bindings"
	xacml         = "XACML 2.0, SAML 2.0 profile"
	soap          = "SOAP 1.1"
	xmlSealing    = "XML Encryption 1.1"
	ourReading    = " (our reading)"
)

func means(nl, en, source string) meaning { return meaning{look.Text{NL: nl, EN: en}, source} }

// elements are known by their local name, or by that and their parent's where it differs.
var elements = map[string]meaning{
	"Envelope":        means("De envelop van een bericht van server naar server.", "The envelope of a message from server to server.", soap),
	"Header":          means("Aanwijzingen voor onderweg. Hier meestal leeg of afwezig.", "Directions for the way. Mostly empty or absent here.", soap),
	"Body":            means("De inhoud van de envelop: precies één bericht.", "What is in the envelope: exactly one message.", soap),
	"Fault":           means("De ontvanger kon het bericht niet behandelen.", "The receiver could not handle the message.", soap),
	"faultcode":       means("Bij wie de fout ligt: Client is de afzender, Server is de ontvanger.", "Whose fault it is: Client is the sender, Server is the receiver.", soap),
	"faultstring":     means("De fout in een korte zin.", "The fault in a short sentence.", soap),
	"detail":          means("Meer over de fout.", "More about the fault.", soap),
	"reference":       means("Een verwijzing: de beheerder van de ontvanger vindt hiermee de oorzaak in zijn logboek.", "A reference: with this the operator of the receiver finds the cause in his log.", soap),
	"AuthnRequest":    means("Het verzoek om de gebruiker te laten inloggen.", "The request to let the user log in.", pageProvider),
	"ArtifactResolve": means("Het verzoek om een artifact in te wisselen voor het bericht dat erbij hoort.", "The request to exchange an artifact for the message that belongs to it.", pageBindings),
	"ArtifactResponse": means("Het antwoord op een ArtifactResolve, met het opgehaalde bericht erin.",
		"The answer to an ArtifactResolve, with the fetched message in it.", pageBindings),
	"Artifact":                means("Het artifact dat de browser bracht. Het is één keer te gebruiken.", "The artifact that the browser brought. It can be used once.", pageBindings),
	"XACMLAuthzDecisionQuery": means("De vraag aan een machtigingenregister: mag deze persoon deze dienst gebruiken?", "The question to a mandate register: may this person use this service?", pageQuery),
	"Issuer":                  means("Wie dit maakte en ondertekende: zijn EntityID.", "Who made and signed this: its EntityID.", pageEntityID),
	"Extensions":              means("Wat het afsprakenstelsel toevoegt aan de standaard.", "What the scheme adds to the standard.", pageQuery),
	"RequestedAttributes":     means("Wat de dienstverlener verder wil weten. Elk kenmerk moet bij de dienst in de dienstencatalogus staan.", "What else the service provider wants to know. Each attribute must be declared for the service in the service catalogue.", pageQuery),
	"RequestedAttribute":      means("Een kenmerk dat de dienstverlener wil weten. isRequired zegt of hij zonder niet verder kan.", "An attribute that the service provider wants to know. isRequired tells whether it cannot go on without.", pageAttribute),
	"NameIDPolicy":            means("Wat voor naam voor de gebruiker de afzender terug wil krijgen.", "Which kind of name for the user the sender wants back.", samlCore+" 3.4.1.1"),
	"RequestedAuthnContext":   means("Op welk niveau de gebruiker moet inloggen. Comparison zegt of hoger ook mag: minimum.", "At which level the user must log in. Comparison says whether higher is good too: minimum.", samlCore+" 3.3.2.2.1"),
	"Scoping":                 means("Bij wie de gebruiker mag inloggen, of namens wie wordt gevraagd.", "Where the user may log in, or on whose behalf is asked.", samlCore+" 3.4.1.2"),
	"RequesterID":             means("Namens wie wordt gevraagd: de dienstverlener.", "On whose behalf is asked: the service provider.", samlCore+" 3.4.1.2"),
	"Response":                means("Het antwoord op een verzoek.", "The answer to a request.", pageAnswer),
	"Status":                  means("Of het gelukt is.", "Whether it worked.", pageErrors),
	"StatusCode":              means("De uitkomst als code. Een tweede code binnen de eerste zegt preciezer waarom niet.", "The outcome as a code. A second code inside the first says more exactly why not.", pageErrors),
	"StatusMessage":           means("Waarom niet, in codes of woorden.", "Why not, in codes or words.", pageErrors),
	"StatusDetail":            means("Meer over waarom niet.", "More about why not.", samlCore+" 3.2.2.4"),
	"Assertion":               means("Een verklaring: wat hierin staat, verklaart de Issuer met zijn eigen handtekening.", "An assertion: what is in it the Issuer states under its own signature.", samlCore+" 2.3.3"),
	"EncryptedAssertion":      means("Een versleutelde verklaring.", "An encrypted assertion.", samlCore+" 2.3.4"),
	"Subject":                 means("Over wie deze verklaring gaat.", "Whom this assertion is about.", samlCore+" 2.4.1"),
	"NameID":                  means("De naam van de persoon of het bedrijf, in deze verklaring.", "The name of the person or company, in this assertion.", pageKinds),
	"Subject/NameID":          means("Een naam voor de gebruiker die alleen voor deze inlog geldt (transient). Hij zegt niet wie het is en wordt twaalf maanden niet hergebruikt.", "A name for the user that is good for this log-in only (transient). It does not tell who it is and is not used again for twelve months.", pageResponse),
	"SubjectConfirmation":     means("Hoe blijkt dat de brenger van dit bericht de gebruiker is. Bearer: wie het brengt, is het.", "How it shows that who brings this message is the user. Bearer: whoever brings it, is.", samlCore+" 2.4.1.1"),
	"SubjectConfirmationData": means("De grenzen daarvan: waar, tot wanneer, en als antwoord op welk verzoek.", "The limits of that: where, until when, and in answer to which request.", samlCore+" 2.4.1.2"),
	"Conditions":              means("Van wanneer tot wanneer deze verklaring geldt, en voor wie.", "From when to when this assertion is valid, and for whom.", samlCore+" 2.5.1"),
	"AudienceRestriction":     means("Alleen voor deze partijen is de verklaring bedoeld. Wie er niet bij staat, moet haar weigeren.", "The assertion is meant for these parties only. Who is not named must refuse it.", samlCore+" 2.5.1.4"),
	"Audience":                means("Voor wie de verklaring is bedoeld.", "For whom the assertion is meant.", samlCore+" 2.5.1.4"),
	"Advice":                  means("Waarop deze verklaring steunt: andere verklaringen, of verwijzingen daarnaar.", "What this assertion rests on: other assertions, or references to them.", pageResponse),
	"AssertionIDRef":          means("Het ID van de verklaring waarop deze steunt: die van de authenticatiedienst, of in een keten die van het vorige register.", "The ID of the assertion that this one rests on: that of the authentication service, or in a chain that of the register before.", pageResponse),
	"AuthnStatement":          means("Dat en wanneer de gebruiker heeft ingelogd.", "That and when the user logged in.", pageLogin),
	"AuthnContext":            means("Op welke manier is ingelogd.", "In which way he logged in.", samlCore+" 2.7.2.2"),
	"AuthnContextClassRef":    means("Het betrouwbaarheidsniveau van de inlog (LevelOfAssurance). In een verzoek: het niveau dat nodig is.", "The level of assurance of the log-in. In a request: the level that is needed.", pageLogin),
	"AuthenticatingAuthority": means("Bij welke authenticatiedienst is ingelogd.", "At which authentication service he logged in.", pageAnswer),
	"AttributeStatement":      means("De kenmerken die worden verklaard.", "The attributes that are stated.", pageAnswer),
	"AttributeValue":          means("De waarde van het kenmerk.", "The value of the attribute.", samlCore+" 2.7.3.1.1"),
	"EncryptedID":             means("Een versleutelde naam. Alleen de genoemde ontvanger kan haar lezen; wie het bericht doorgeeft niet.", "An encrypted name. Only the recipient named can read it; those who pass the message on cannot.", pageEndToEnd),
	"EncryptedAttribute":      means("Een versleuteld kenmerk, alleen voor de genoemde ontvanger.", "An encrypted attribute, for the recipient named only.", pageAttribute),

	"Statement":           means("De uitspraak van het register, in de taal XACML.", "The decision of the register, in the language XACML.", pageResponse),
	"Statement/Response":  means("De uitspraak zelf.", "The decision itself.", xacml),
	"Statement/Request":   means("De vraag die werd beantwoord, aangevuld met wat het register erbij vond. Het staat er omdat ReturnContext true was.", "The question that was answered, with what the register found added. It is here because ReturnContext was true.", pageResponse),
	"Result":              means("De uitkomst.", "The outcome.", xacml),
	"Decision":            means("De beslissing: Permit is ja, Deny is nee.", "The decision: Permit is yes, Deny is no.", pageResponse),
	"Result/Status":       means("Of de uitspraak zonder problemen tot stand kwam.", "Whether the decision was made without problems.", xacml),
	"Obligations":         means("Wat er nog moet gebeuren voordat de uitspraak mag worden gebruikt.", "What must still be done before the decision may be used.", pageChain),
	"Obligation":          means("RequireConfirmationFromNextMR: gebruik deze Permit niet voordat het genoemde register haar bevestigt. Zo wordt een keten over twee registers gecontroleerd.", "RequireConfirmationFromNextMR: do not use this Permit before the register named confirms it. That is how a chain across two registers is checked.", pageChain),
	"AttributeAssignment": means("Welk register moet bevestigen.", "Which register must confirm.", pageChain+ourReading),
	"Request":             means("De vraag, verdeeld in wie (Subject), wat (Resource), welke handeling (Action) en omgeving (Environment).", "The question, divided into who (Subject), what (Resource), which action (Action) and environment (Environment).", xacml),
	"Request/Subject":     means("Wie: de persoon die handelt en, in een antwoord, het bedrijf.", "Who: the person who acts and, in an answer, the company.", pageResponse),
	"Resource":            means("Wat: de dienst en het niveau.", "What: the service and the level.", pageQuery),
	"Action":              means("Welke handeling. Altijd Authenticate.", "Which action. Always Authenticate.", pageResponse),
	"Environment":         means("Leeg, maar het moet er staan.", "Empty, but it must be there.", xacml),
	"Attribute":           means("Een kenmerk met een naam en een waarde.", "An attribute with a name and a value.", samlCore+" 2.7.3.1"),

	"Signature":              means("Een handtekening over het element waar zij in staat. Wie het bericht verandert, maakt haar ongeldig.", "A signature over the element it stands in. Whoever changes the message makes it invalid.", pageSignature),
	"SignedInfo":             means("Wat precies is ondertekend, en hoe.", "What exactly was signed, and how.", pageSignature),
	"CanonicalizationMethod": means("Hoe de XML in één vaste schrijfwijze wordt gezet voordat zij wordt ondertekend: exclusieve c14n.", "How the XML is put into one fixed spelling before it is signed: exclusive c14n.", pageSignature),
	"SignatureMethod":        means("Hoe is ondertekend. Alleen RSA-SHA256 mag.", "How it was signed. Only RSA-SHA256 is allowed.", pageSignature),
	"Reference":              means("Welk element is ondertekend: # met het ID. Het moet het element zijn waar de handtekening in staat.", "Which element was signed: # and its ID. It must be the element that the signature stands in.", pageSignature),
	"Transforms":             means("Wat er met het element gebeurt voordat de vingerafdruk wordt genomen.", "What is done to the element before its fingerprint is taken.", pageSignature),
	"Transform":              means("Eén stap: de handtekening zelf weglaten, of de vaste schrijfwijze.", "One step: leaving out the signature itself, or the fixed spelling.", pageSignature),
	"InclusiveNamespaces":    means("Prefixen die in waarden worden gebruikt en daarom mee ondertekend zijn.", "Prefixes that are used in values and so were signed too.", pageSignature),
	"DigestMethod":           means("Hoe de vingerafdruk is gemaakt.", "How the fingerprint was made.", pageSignature),
	"DigestValue":            means("De vingerafdruk van het element.", "The fingerprint of the element.", pageSignature),
	"SignatureValue":         means("De handtekening zelf.", "The signature itself.", pageSignature),
	"KeyInfo":                means("Welke sleutel is gebruikt. Het is een aanwijzing: of de sleutel telt, bepalen de metadata van de afzender.", "Which key was used. It is a hint: whether the key counts is decided by the sender's metadata.", pageSignature),
	"KeyName":                means("De naam van de sleutel, zoals in de metadata.", "The name of the key, as in the metadata.", pageSignature),
	"X509Data":               means("Een certificaat. In berichten mag dit niet; een ontvanger hoort het nooit te vertrouwen.", "A certificate. Messages must not have it; a receiver must never trust it.", pageSignature),

	"EncryptedData":    means("De versleutelde inhoud.", "The encrypted content.", pageSealing),
	"EncryptedKey":     means("De sleutel van de inhoud, zelf versleuteld voor één ontvanger (Recipient).", "The key of the content, itself encrypted for one recipient (Recipient).", pageSealing),
	"EncryptionMethod": means("Hoe is versleuteld.", "How it was encrypted.", xmlSealing),
	"RetrievalMethod":  means("Waar de sleutel van deze inhoud staat.", "Where the key of this content is.", pageSealing),
	"CipherData":       means("De versleutelde bytes.", "The encrypted bytes.", xmlSealing),
	"CipherValue":      means("De versleutelde bytes, in base64.", "The encrypted bytes, in base64.", xmlSealing),
	"CarriedKeyName":   means("De naam van de sleutel van de inhoud, als er meer ontvangers zijn.", "The name of the content's key, if there are several recipients.", pageSealing),
	"ReferenceList":    means("Bij welke inhoud deze sleutel hoort.", "To which content this key belongs.", pageSealing),
	"DataReference":    means("Bij welke inhoud deze sleutel hoort.", "To which content this key belongs.", pageSealing),
	"MGF":              means("Een instelling van RSA-OAEP.", "A setting of RSA-OAEP.", xmlSealing),
}

// attributes of elements are known by their name, or by the element's and theirs. Each has a
// line of its own.
var attributes = map[string]meaning{
	"ID":                                   means("Het nummer van dit bericht of deze verklaring. Het mag twaalf maanden niet opnieuw worden gebruikt; de handtekening verwijst ernaar.", "The number of this message or assertion. It must not be used again for twelve months; the signature refers to it.", pageAnswer),
	"Version":                              means("De versie van SAML: altijd 2.0.", "The version of SAML: always 2.0.", samlCore),
	"IssueInstant":                         means("Wanneer dit is gemaakt, in UTC. Klokken mogen twee seconden verschillen.", "When this was made, in UTC. Clocks may differ two seconds.", pageClocks),
	"Destination":                          means("Het adres waar dit bericht voor bedoeld is. De ontvanger weigert het als dit niet zijn eigen adres uit de metadata is.", "The address that this message is meant for. The receiver refuses it unless this is its own address from the metadata.", pageQuery),
	"InResponseTo":                         means("Op welk bericht dit het antwoord is: het ID daarvan. De ontvanger weigert een antwoord op iets wat hij niet vroeg.", "Which message this is the answer to: the ID of that. The receiver refuses an answer to what it did not ask.", pageResponse),
	"ReturnContext":                        means("Moet true zijn: het antwoord herhaalt de vraag, zodat beide samen ondertekend zijn.", "Must be true: the answer repeats the question, so that both are signed together.", pageQuery),
	"InputContextOnly":                     means("Hoort er niet te staan.", "Does not belong here.", pageQuery),
	"Consent":                              means("Hoort er niet te staan.", "Does not belong here.", pageQuery),
	"AssertionConsumerServiceIndex":        means("Naar welk adres van de afzender het antwoord moet: het nummer in zijn metadata.", "To which of the sender's addresses the answer must go: its number in the metadata.", pageProvider),
	"AssertionConsumerServiceURL":          means("Naar welk adres van de afzender het antwoord moet. Het moet in zijn metadata staan.", "To which of the sender's addresses the answer must go. It must be in its metadata.", samlCore+" 3.4.1"),
	"AttributeConsumingServiceIndex":       means("Welke dienst van de dienstverlener wordt gebruikt: het nummer in zijn metadata.", "Which service of the provider is used: its number in the metadata.", pageProvider),
	"ProtocolBinding":                      means("Hoe het antwoord moet reizen.", "How the answer must travel.", samlCore+" 3.4.1"),
	"ForceAuthn":                           means("true: de gebruiker moet opnieuw inloggen, ook als hij al ingelogd was.", "true: the user must log in again, even if he was logged in.", samlCore+" 3.4.1"),
	"IsPassive":                            means("true: de gebruiker mag niets te zien krijgen.", "true: the user must not be shown anything.", samlCore+" 3.4.1"),
	"ProviderName":                         means("Hoe de afzender voor mensen heet.", "What people call the sender.", samlCore+" 3.4.1"),
	"NotBefore":                            means("Vanaf dit moment geldig.", "Valid from this moment.", samlCore+" 2.5.1.2"),
	"NotOnOrAfter":                         means("Vanaf dit moment niet meer geldig.", "No longer valid from this moment.", samlCore+" 2.5.1.2"),
	"SubjectConfirmationData/NotOnOrAfter": means("Na dit moment mag het bericht niet meer worden aangeboden.", "After this moment the message may no longer be presented.", samlCore+" 2.4.1.2"),
	"SubjectConfirmationData/Recipient":    means("Alleen op dit adres mag het bericht worden aangeboden.", "Only at this address may the message be presented.", samlCore+" 2.4.1.2"),
	"EncryptedKey/Recipient":               means("Voor wie dit is versleuteld.", "For whom this is encrypted.", pageSealing),
	"SubjectConfirmation/Method":           means("bearer: wie het bericht brengt, is de gebruiker.", "bearer: whoever brings the message is the user.", samlCore+" 2.4.1.1"),
	"AuthnInstant":                         means("Wanneer de gebruiker inlogde.", "When the user logged in.", samlCore+" 2.7.2"),
	"SessionNotOnOrAfter":                  means("Wanneer de sessie van de inlog eindigt.", "When the session of the log-in ends.", samlCore+" 2.7.2"),
	"SessionIndex":                         means("Het nummer van de sessie.", "The number of the session.", samlCore+" 2.7.2"),
	"StatusCode/Value":                     means("De code van de uitkomst.", "The code of the outcome.", pageErrors),
	"NameID/Format":                        means("Wat voor naam dit is: transient (eenmalig) of persistent (blijft gelijk).", "Which kind of name this is: transient (once) or persistent (stays the same).", pageKinds),
	"NameID/NameQualifier":                 means("Wat voor nummer of naam dit is.", "Which kind of number or name this is.", pageKinds),
	"Obligation/ObligationId":              means("Wat er moet gebeuren.", "What must be done.", pageChain),
	"Obligation/FulfillOn":                 means("Bij welke beslissing het moet.", "With which decision it must be done.", xacml),
}

// named are attributes of SAML and XACML, by their URN.
var named = map[string]meaning{
	etoegang.AttributeConsumerIndex: means("Naar welk adres van de makelaar het antwoord moet: het nummer in zijn metadata.", "To which of the broker's addresses the answer must go: its number in the metadata.", pageQuery+ourReading),
	etoegang.AttributeIntendedAudience: means("Voor welke dienstverlener dit allemaal is. Het register versleutelt het bedrijf voor hem, en voor niemand anders.",
		"For which service provider all this is. The register encrypts the company for it, and for nobody else.", pageQuery+ourReading),
	etoegang.AttributeAssertions: means("De verklaringen waarop de vraag steunt: die van de authenticatiedienst, en bij een keten ook die van het eerste register. Ze zijn ongewijzigd, met hun eigen handtekening.",
		"The assertions that the question rests on: that of the authentication service, and in a chain that of the first register too. They are unchanged, with their own signatures.", pageQuery+ourReading),
	etoegang.AttributeSubjectID:       means("De eenmalige naam die de authenticatiedienst de gebruiker gaf. Zij bindt de vraag aan die inlog.", "The name, good once, that the authentication service gave the user. It ties the question to that log-in.", pageQuery+ourReading),
	etoegang.AttributeActingEntityID:  means("De persoon die handelt, als specifiek pseudoniem en leesbaar (oudere vorm).", "The person who acts, as a specific pseudonym and readable (older form).", pagePseudo),
	etoegang.AttributeActingSubjectID: means("De persoon die handelt, als versleuteld pseudoniem. In de inlog kan alleen het register het lezen, in een uitspraak alleen de dienstverlener: elk krijgt een eigen pseudoniem.", "The person who acts, as an encrypted pseudonym. In the log-in only the register can read it, in a decision only the service provider: each gets a pseudonym of its own.", pageEndToEnd),
	etoegang.AttributeLegalSubjectID:  means("Het vertegenwoordigde bedrijf, versleuteld. Dit is waar het de dienstverlener om gaat: namens wie er wordt gehandeld.", "The represented company, encrypted. This is what the service provider wants to know: on whose behalf somebody acts.", pageSubject),
	etoegang.AttributeLinkedDeclaration: means("Een kopie van de handtekening onder de verklaring waarop deze steunt. Zo kan niemand de uitspraak aan een andere inlog hangen.",
		"A copy of the signature under the assertion that this one rests on. So nobody can attach the decision to another log-in.", pageLinked),
	etoegang.AttributeIntermediateKvKNr:                means("De intermediair: het bedrijf dat namens het vertegenwoordigde bedrijf handelt, als KvK-nummer. Staat dit er, dan is het een ketenmachtiging.", "The intermediary: the company that acts for the represented company, as a KvK number. If this is here, it is a chain.", pageChain),
	etoegang.AttributeIntermediateKvK:                  means("De intermediair, als KvK-nummer (andere schrijfwijze).", "The intermediary, as a KvK number (other spelling).", pageChain),
	etoegang.AttributeIntermediateSubject:              means("De intermediair, versleuteld (oudere vorm).", "The intermediary, encrypted (older form).", pageChain),
	etoegang.AttributeServiceID:                        means("De dienst zoals deze dienstverlener haar aanbiedt.", "The service as this provider offers it.", pageServiceID),
	etoegang.AttributeServiceUUID:                      means("Het soort dienst. Machtigingen worden op dit nummer vastgelegd; meer dienstverleners kunnen het delen.", "The kind of service. Mandates are recorded for this number; several providers can share it.", pageCatalogue),
	etoegang.AttributeLevel:                            means("Het betrouwbaarheidsniveau dat wordt gevraagd: ten minste dit.", "The level of assurance that is asked for: at least this.", pageQuery),
	etoegang.AttributeLevelUsed:                        means("Het betrouwbaarheidsniveau van de machtiging zelf. Bij een keten: het laagste van alle schakels.", "The level of assurance of the mandate itself. In a chain: the lowest of all links.", pageResponse),
	etoegang.RestrictionEstablishment:                  means("De machtiging geldt alleen voor deze vestiging (12 cijfers). Het is een grens, geen adres.", "The mandate is good for this establishment only (12 digits). It is a limit, not a location.", pageAttribute),
	"urn:etoegang:1.9:ServiceRestriction:SubdossierNr": means("Het subdossier dat bij de vestiging hoort.", "The sub-file that belongs to the establishment.", pageAttribute),
	etoegang.AttributeRepresentation:                   means("true: de persoon handelt namens een bedrijf, dus het machtigingenregister moet worden gevraagd.", "true: the person acts for a company, so the mandate register must be asked.", pageLogin),
	etoegang.AttributeRegistryID:                       means("Welk machtigingenregister de machtigingen van deze persoon heeft. De makelaar vraagt het daar.", "Which mandate register has this person's mandates. The broker asks there.", pageLogin),
	etoegang.AttributeRepresentedName:                  means("De naam van het vertegenwoordigde bedrijf.", "The name of the represented company.", pageAttribute),
	etoegang.AttributeIntermediaryName:                 means("De naam van de intermediair. Die komt bij een keten vanzelf mee.", "The name of the intermediary. It comes along with a chain by itself.", pageAttribute),
	etoegang.AttributeActionID:                         means("De handeling: altijd Authenticate.", "The action: always Authenticate.", pageResponse),
	string(etoegang.TypeKvKNr):                         means("Het KvK-nummer van het bedrijf, leesbaar (oudere vorm).", "The KvK number of the company, readable (older form).", pageResponse),
	string(etoegang.TypeRSIN):                          means("Het RSIN van het bedrijf, leesbaar (oudere vorm).", "The RSIN of the company, readable (older form).", pageResponse),
}

// parameterMeanings are what the parameters of an address or a form mean.
var parameterMeanings = map[string]meaning{
	"SAMLart":      means("Het artifact: 44 bytes die naar een bericht verwijzen. Wie het eerst inwisselt, krijgt het.", "The artifact: 44 bytes that refer to a message. Whoever exchanges it first gets that.", pageBindings),
	"SAMLRequest":  means("Een verzoek, in base64.", "A request, in base64.", samlBindings),
	"SAMLResponse": means("Een antwoord, in base64.", "An answer, in base64.", samlBindings),
	"RelayState":   means("Iets van de afzender zelf, hoogstens 80 bytes. De ontvanger begrijpt het niet en geeft het ongewijzigd terug.", "Something of the sender's own, at most 80 bytes. The receiver does not understand it and gives it back unchanged.", pageWeb),
	"SigAlg":       means("Hoe het adres is ondertekend.", "How the address was signed.", samlBindings+" 3.4.4.1"),
	"Signature":    means("De handtekening over de parameters van het adres.", "The signature over the parameters of the address.", samlBindings+" 3.4.4.1"),
}

// statuses are the codes of outcomes, by URN.
var statuses = map[string]meaning{
	"urn:oasis:names:tc:SAML:2.0:status:Success":            means("Gelukt.", "It worked.", pageErrors),
	"urn:oasis:names:tc:SAML:2.0:status:Requester":          means("Niet gelukt: er is iets mis met de vraag.", "It failed: something is wrong with the question.", pageErrors),
	"urn:oasis:names:tc:SAML:2.0:status:Responder":          means("Niet gelukt: het ligt aan de kant van wie antwoordt, of het antwoord is nee.", "It failed: the matter is with whoever answers, or the answer is no.", pageErrors),
	"urn:oasis:names:tc:SAML:2.0:status:AuthnFailed":        means("Nee: de gebruiker is gestopt, of mag dit niet.", "No: the user gave up, or may not do this.", pageErrors),
	"urn:oasis:names:tc:SAML:2.0:status:RequestUnsupported": means("De vraag is begrepen, maar wordt niet ondersteund of is verlopen.", "The question was understood, but is not supported or has expired.", pageErrors),
	"urn:oasis:names:tc:SAML:2.0:status:UnknownPrincipal":   means("De persoon is niet bekend.", "The person is not known.", pageErrors),
	"urn:oasis:names:tc:xacml:1.0:status:ok":                means("De uitspraak kwam zonder problemen tot stand.", "The decision was made without problems.", xacml),
}

// refusals are the reason codes in a StatusMessage. They are those of package decision, which
// stands beside this room; a test holds the two together.
var refusals = map[string]look.Text{
	"service-unknown":               {NL: "de dienst staat niet in de dienstencatalogus", EN: "the service is not in the service catalogue"},
	"service-not-public":            {NL: "de dienst is niet openbaar en dit is geen testnetwerk", EN: "the service is not public and this is not a test network"},
	"level-not-supported":           {NL: "het niveau bestaat niet meer, of dit register is er niet voor gecertificeerd", EN: "the level has ended, or this register is not certified for it"},
	"level-above-catalogue":         {NL: "er wordt een hoger niveau gevraagd dan de dienst in de catalogus heeft", EN: "the request asks for a higher level than the service has in the catalogue"},
	"authentication-too-low":        {NL: "de persoon logde in op een lager niveau dan de dienst nodig heeft", EN: "the person logged in at a lower level than the service needs"},
	"represented-unknown":           {NL: "het bedrijf is in dit register niet bekend", EN: "the company is not known in this register"},
	"no-mandate-to-person":          {NL: "niemand heeft deze persoon gemachtigd", EN: "nobody has mandated this person"},
	"no-mandate-to-intermediary":    {NL: "het bedrijf heeft deze intermediair niet gemachtigd", EN: "the company has not mandated this intermediary"},
	"party-inactive":                {NL: "iemand in deze machtiging doet niet meer mee", EN: "somebody on this path no longer takes part"},
	"party-blocked":                 {NL: "het register heeft iemand in deze machtiging geblokkeerd", EN: "the register has blocked somebody on this path"},
	"not-yet-granted":               {NL: "de machtiging is aangevraagd en nog niet gegeven", EN: "the mandate has been asked for and not granted yet"},
	"revoked":                       {NL: "de machtiging is ingetrokken", EN: "the mandate has been revoked"},
	"lapsed-unused":                 {NL: "de machtiging is vervallen omdat zij niet werd gebruikt", EN: "the mandate ended because it was not used"},
	"suspended":                     {NL: "de machtiging is geschorst", EN: "the mandate is suspended"},
	"not-yet-valid":                 {NL: "de machtiging is nog niet ingegaan", EN: "the mandate has not begun yet"},
	"expired":                       {NL: "de machtiging is verlopen", EN: "the mandate has expired"},
	"service-not-covered":           {NL: "de machtiging is niet voor deze dienst", EN: "the mandate does not cover this service"},
	"assurance-too-low":             {NL: "de machtiging is op een lager niveau vastgelegd dan de dienst nodig heeft", EN: "the mandate was registered at a lower level than the service needs"},
	"establishment-mismatch":        {NL: "de machtiging is beperkt tot vestigingen, en dat past hier niet", EN: "the mandate is limited to establishments, and that does not fit here"},
	"identifier-type-not-available": {NL: "het bedrijf heeft geen van de nummers die de dienst wil", EN: "the company has none of the identifiers that the service wants"},
}

// Refusal is a register's reason code in words; the zero Text: it is none.
func Refusal(code string) look.Text { return refusals[code] }

// Level is a level of assurance in words.
func Level(l etoegang.AssuranceLevel) look.Text { return levels[l] }

// levels are the levels of assurance in words.
var levels = map[etoegang.AssuranceLevel]look.Text{
	etoegang.LoA1:     {NL: "niveau 1. Dat bestaat sinds 1 juli 2021 niet meer", EN: "level 1. It ended on 1 July 2021"},
	etoegang.LoA2:     {NL: "niveau 2", EN: "level 2"},
	etoegang.LoA2Plus: {NL: "niveau 2+", EN: "level 2+"},
	etoegang.LoA3:     {NL: "niveau 3, eIDAS substantieel", EN: "level 3, eIDAS substantial"},
	etoegang.LoA4:     {NL: "niveau 4, eIDAS hoog", EN: "level 4, eIDAS high"},
}

// roles are those of participants.
var roles = map[etoegang.Role]look.Text{
	etoegang.Provider:      {NL: "dienstverlener", EN: "service provider"},
	etoegang.Broker:        {NL: "makelaar", EN: "broker"},
	etoegang.Authenticator: {NL: "authenticatiedienst", EN: "authentication service"},
	etoegang.Register:      {NL: "machtigingenregister", EN: "mandate register"},
	etoegang.EIDAS:         {NL: "eIDAS-berichtenservice", EN: "eIDAS message service"},
}

// qualifiers are kinds of identifiers, by URN.
var qualifiers = map[string]look.Text{
	string(etoegang.TypeKvKNr):           {NL: "KvK-nummer", EN: "KvK number"},
	string(etoegang.TypeRSIN):            {NL: "RSIN", EN: "RSIN"},
	string(etoegang.TypePseudo):          {NL: "pseudoniem", EN: "pseudonym"},
	string(etoegang.TypePseudo113):       {NL: "pseudoniem", EN: "pseudonym"},
	string(etoegang.TypeBSN):             {NL: "BSN", EN: "BSN"},
	string(etoegang.TypeBSNPlain):        {NL: "BSN", EN: "BSN"},
	string(etoegang.TypePseudoID):        {NL: "pseudoniem van de overheid", EN: "pseudonym of the government"},
	string(etoegang.TypeEIDASLegal):      {NL: "eIDAS-nummer van een bedrijf", EN: "eIDAS identifier of a company"},
	string(etoegang.TypeIntermediateKvK): {NL: "KvK-nummer van de intermediair", EN: "KvK number of the intermediary"},
}
