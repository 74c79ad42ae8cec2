package etoegang

// The names that the scheme gives to attributes, obligations and values in its
// messages. Where a page of the scheme could not be read in full, the comment says
// what the value rests on; each stands here and nowhere else, so that a correction
// is one line.
const (
	// Attributes of the extensions of a query (HM-MR, "Extensions"). The scheme
	// shows their short names; the URNs follow the pattern of all others.
	AttributeConsumerIndex    = "urn:etoegang:core:AssertionConsumerServiceIndex"
	AttributeIntendedAudience = "urn:etoegang:core:IntendedAudience"
	AttributeAssertions       = "urn:etoegang:core:Assertions"

	// The person who acts.
	AttributeSubjectID       = "urn:oasis:names:tc:xacml:1.0:subject:subject-id" // the authentication's transient name
	AttributeActingEntityID  = "urn:etoegang:core:ActingEntityID"
	AttributeActingSubjectID = "urn:etoegang:core:ActingSubjectID"

	// The company and what links one statement to the one before it.
	AttributeLegalSubjectID      = "urn:etoegang:core:LegalSubjectID"
	AttributeLinkedDeclaration   = "urn:etoegang:core:LinkedDeclarationSignatureValue"
	AttributeIntermediateKvKNr   = "urn:etoegang:1.9:IntermediateEntityID:KvKnr" // as code in the field spells it
	AttributeIntermediateKvK     = "urn:etoegang:1.9:IntermediateEntityID:KvK"   // as the scheme's page spells it: accepted
	AttributeIntermediateSubject = "urn:etoegang:core:IntermediateSubjectID"     // older chain pages: accepted

	// The service.
	AttributeServiceID   = "urn:etoegang:core:ServiceID"
	AttributeServiceUUID = "urn:etoegang:core:ServiceUUID"
	AttributeLevel       = "urn:etoegang:core:LevelOfAssurance"
	AttributeLevelUsed   = "urn:etoegang:core:LevelOfAssuranceUsed"

	// Limits of a mandate (ServiceRestrictionsAllowed and the answer).
	RestrictionEstablishment = "urn:etoegang:1.9:ServiceRestriction:Vestigingsnr"

	// Attributes of an authentication service's assertion.
	AttributeRepresentation = "urn:etoegang:core:Representation"
	AttributeRegistryID     = "urn:etoegang:core:AuthorizationRegistryID"

	// The one obligation: ask the next register before believing this Permit. The
	// attribute in it carries the same name (HM-MR chain authorization).
	ObligationConfirm = "urn:etoegang:core:RequireConfirmationFromNextMR"

	// What a provider may want to know besides: the names of the represented company and of
	// the intermediary. The second comes along with every chain (attribute catalogue).
	AttributeRepresentedName  = "urn:etoegang:1.11:attribute-represented:CompanyName"
	AttributeIntermediaryName = "urn:etoegang:1.13:attribute-intermediate:CompanyName"

	// The action of every query.
	AttributeActionID  = "urn:oasis:names:tc:xacml:1.0:action:action-id"
	ActionAuthenticate = "Authenticate"

	// Data types of attribute values.
	DataString      = "http://www.w3.org/2001/XMLSchema#string"
	DataBase64      = "http://www.w3.org/2001/XMLSchema#base64Binary"
	DataEncryptedID = "urn:oasis:names:tc:SAML:2.0:assertion#EncryptedID"
	DataAssertion   = "urn:oasis:names:tc:SAML:2.0:assertion#Assertion"

	// Namespaces of the scheme's own documents.
	NamespaceCatalogue = "urn:etoegang:1.13:service-catalog"
	NamespaceMetadata  = "urn:etoegang:1.13:metadata-extension"
)
