package pages

import "github.com/mandated/mandated/internal/look"

// programTexts are the words about programs that manage mandates.
var programTexts = look.Texts{
	"certificate":      {NL: "Certificaat of publieke sleutel van het programma", EN: "Certificate or public key of the program"},
	"certificate hint": {NL: "Alleen voor een programma. Plak de hele tekst, van -----BEGIN tot en met END-----. Plak nooit de geheime sleutel.", EN: "Only for a program. Paste the whole text, from -----BEGIN up to and including END-----. Never paste the private key."},
	"fingerprint":      {NL: "Vingerafdruk {digits}…", EN: "Fingerprint {digits}…"},
	"done program":     {NL: "Het programma is aangewezen en kan meteen aan het werk", EN: "The program is appointed, and can begin at once"},

	"wrong credential":        {NL: "Plak het certificaat of de publieke sleutel van het programma. Wie geen programma is, heeft er geen: maak dit veld dan leeg.", EN: "Paste the certificate or the public key of the program. Who is no program has none: then empty this field."},
	"wrong no key":            {NL: "Dit is geen certificaat en geen publieke sleutel. Plak de tekst die begint met -----BEGIN CERTIFICATE----- of -----BEGIN PUBLIC KEY-----.", EN: "This is neither a certificate nor a public key. Paste the text that begins with -----BEGIN CERTIFICATE----- or -----BEGIN PUBLIC KEY-----."},
	"wrong secret key":        {NL: "Hier staat een geheime sleutel in. Wij hebben hem niet bewaard. Laat een nieuwe maken, en plak alleen het certificaat of de publieke sleutel daarvan.", EN: "There is a private key in this. We have not kept it. Have a new one made, and paste only its certificate or public key."},
	"wrong damaged key":       {NL: "Dit certificaat of deze sleutel is niet compleet. Kopieer de tekst opnieuw, van het begin tot het eind.", EN: "This certificate or key is not complete. Copy the text once more, from the beginning to the end."},
	"wrong unusable key":      {NL: "Met zo'n sleutel kan een programma niet binnenkomen. Laat een nieuwe maken: RSA van 2048 bits of meer, ECDSA P-256 of Ed25519.", EN: "A program cannot come in with a key like this. Have a new one made: RSA of 2048 bits or more, ECDSA P-256 or Ed25519."},
	"wrong ended certificate": {NL: "Dit certificaat is verlopen of nog niet geldig. Plak er een die nu geldt.", EN: "This certificate has ended or is not valid yet. Paste one that is valid now."},
}
