package xmlsec

// The closed list: what is not here is refused, compared as exact text.
// eHerkenning, interface specifications, "Digital signature" (all profiles).
const (
	algorithmEnveloped = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
	algorithmC14n      = "http://www.w3.org/2001/10/xml-exc-c14n#"
	algorithmSHA256    = "http://www.w3.org/2001/04/xmlenc#sha256"
	algorithmRSASHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
)

// What peers encrypt with. RSA 1.5 is not here and never will be.
const (
	algorithmCBC      = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
	algorithmGCM      = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
	algorithmOAEPMGF1 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p"
	algorithmOAEP     = "http://www.w3.org/2009/xmlenc11#rsa-oaep"
	algorithmSHA1     = "http://www.w3.org/2000/09/xmldsig#sha1" // inside OAEP only
	algorithmMGFSHA1  = "http://www.w3.org/2009/xmlenc11#mgf1sha1"
	algorithmMGF256   = "http://www.w3.org/2009/xmlenc11#mgf1sha256"

	typeElement      = "http://www.w3.org/2001/04/xmlenc#Element"
	typeEncryptedKey = "http://www.w3.org/2001/04/xmlenc#EncryptedKey"
)

// WeakestKey is the smallest RSA modulus, in bits, that the scheme allows (interface
// specifications, "Digital signature").
const WeakestKey = 2048

const (
	spaceDS     = "http://www.w3.org/2000/09/xmldsig#"
	spaceXEnc   = "http://www.w3.org/2001/04/xmlenc#"
	spaceXEnc11 = "http://www.w3.org/2009/xmlenc11#"
	spaceC14n   = "http://www.w3.org/2001/10/xml-exc-c14n#"
)

var (
	nameSignature              = Name{spaceDS, "Signature"}
	nameSignedInfo             = Name{spaceDS, "SignedInfo"}
	nameCanonicalizationMethod = Name{spaceDS, "CanonicalizationMethod"}
	nameSignatureMethod        = Name{spaceDS, "SignatureMethod"}
	nameReference              = Name{spaceDS, "Reference"}
	nameTransforms             = Name{spaceDS, "Transforms"}
	nameTransform              = Name{spaceDS, "Transform"}
	nameDigestMethod           = Name{spaceDS, "DigestMethod"}
	nameDigestValue            = Name{spaceDS, "DigestValue"}
	nameSignatureValue         = Name{spaceDS, "SignatureValue"}
	nameKeyInfo                = Name{spaceDS, "KeyInfo"}
	nameKeyName                = Name{spaceDS, "KeyName"}
	nameRetrievalMethod        = Name{spaceDS, "RetrievalMethod"}
	nameInclusiveNamespaces    = Name{spaceC14n, "InclusiveNamespaces"}

	nameEncryptedData    = Name{spaceXEnc, "EncryptedData"}
	nameEncryptedKey     = Name{spaceXEnc, "EncryptedKey"}
	nameEncryptionMethod = Name{spaceXEnc, "EncryptionMethod"}
	nameCipherData       = Name{spaceXEnc, "CipherData"}
	nameCipherValue      = Name{spaceXEnc, "CipherValue"}
	nameCarriedKeyName   = Name{spaceXEnc, "CarriedKeyName"}
	nameMGF              = Name{spaceXEnc11, "MGF"}
)
