package xmlsec

import "errors"

// Each defence has its own error, so that a test can say which defence refused,
// and a log can tell a clumsy peer from an attacker. None of them is meant to be
// shown to the sender of a message.
var (
	// The gate: what is refused before a tree exists.

	ErrTooLarge           = errors.New("xmlsec: document too large")
	ErrEncoding           = errors.New("xmlsec: not UTF-8 text of characters XML allows")
	ErrMalformed          = errors.New("xmlsec: not well-formed XML")
	ErrDirective          = errors.New("xmlsec: document type declaration or other directive")
	ErrInstruction        = errors.New("xmlsec: processing instruction")
	ErrComment            = errors.New("xmlsec: comment")
	ErrCDATA              = errors.New("xmlsec: CDATA section")
	ErrEntity             = errors.New("xmlsec: entity XML does not predefine")
	ErrTooDeep            = errors.New("xmlsec: elements nested too deeply")
	ErrTooMany            = errors.New("xmlsec: too many elements, attributes, namespaces or tokens")
	ErrLongAttribute      = errors.New("xmlsec: attribute value too long")
	ErrDuplicateAttribute = errors.New("xmlsec: attribute given twice")
	ErrNamespace          = errors.New("xmlsec: namespace missing, reserved or not an absolute URI")
	ErrMixedContent       = errors.New("xmlsec: text beside elements")
	ErrDuplicateID        = errors.New("xmlsec: two elements answer to one ID")
	ErrBadID              = errors.New("xmlsec: ID is not a short XML name")

	// Verification: what is refused before any cryptography.

	ErrPlaceCount     = errors.New("xmlsec: too few or too many elements to be signed here")
	ErrSignatureCount = errors.New("xmlsec: element does not have exactly one signature")
	ErrSignaturePlace = errors.New("xmlsec: signature where none belongs")
	ErrSignatureShape = errors.New("xmlsec: signature not built as the profile says")
	ErrReference      = errors.New("xmlsec: signature does not refer to the element it stands in")
	ErrTransforms     = errors.New("xmlsec: transforms not allowed")
	ErrAlgorithm      = errors.New("xmlsec: algorithm not allowed")
	ErrIssuer         = errors.New("xmlsec: element does not have exactly one issuer")
	ErrUnknownIssuer  = errors.New("xmlsec: no keys for this issuer here")
	ErrKeyName        = errors.New("xmlsec: key name is not one of the issuer's")
	ErrWeakKey        = errors.New("xmlsec: key is not RSA of at least 2048 bits")
	ErrCertificate    = errors.New("xmlsec: certificate not valid at this time")

	// ErrSignature is the verdict of the cryptography itself: none of the keys
	// made this signature over these bytes.
	ErrSignature = errors.New("xmlsec: signature does not fit")

	// ErrContent is what reading a Node reports: a child or a value is missing,
	// doubled or unexpected.
	ErrContent = errors.New("xmlsec: unexpected content")

	// Signing.

	ErrUnsignable = errors.New("xmlsec: element cannot be signed")

	// Encryption.

	ErrUnverified    = errors.New("xmlsec: refusing to decrypt what no signature covers")
	ErrEncryption    = errors.New("xmlsec: encrypted element not built as the profile says")
	ErrNotForUs      = errors.New("xmlsec: no encrypted key for this recipient and these keys")
	ErrUndecryptable = errors.New("xmlsec: cannot decrypt")
)
