package server

import "github.com/mandated/mandated/internal/look"

// text is what a page says: what happened, and what to do now.
type text struct {
	Title, Message, Next string
	Button               string // of a form
	Reference            string // what the reference is for
}

// texts are those of all pages, by language. They are plain words (B1): no terms of ours,
// and always a next step.
var texts = map[look.Language]map[string]text{
	"nl": {
		"unreadable": {
			Title: "Deze link werkt niet", Message: "Uw browser heeft geen geldige aanvraag meegestuurd.",
			Next: "Ga terug naar de website waar u wilt inloggen en begin daar opnieuw.", Reference: referenceNL,
		},
		"unbelieved": {
			Title: "Wij kunnen deze aanvraag niet behandelen", Message: "De aanvraag klopt niet, of komt niet van een partij die wij kennen.",
			Next: "Ga terug naar de website waar u wilt inloggen en begin daar opnieuw.", Reference: referenceNL,
		},
		"gone": {
			Title: "Deze aanvraag is al gebruikt", Message: "U kunt een aanvraag maar één keer gebruiken, en maar kort. Misschien heeft u de pagina opnieuw geladen of de knop 'terug' gebruikt.",
			Next: "Ga terug naar de website waar u wilt inloggen en begin daar opnieuw.", Reference: referenceNL,
		},
		"over": {
			Title: "U bent al klaar, of u heeft te lang gewacht", Message: "U heeft hier al gekozen of geannuleerd, of u deed er langer over dan mag. Er is nu niets meer te kiezen.",
			Next: "Wilt u opnieuw inloggen? Begin dan opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"elsewhere": {
			Title: "Deze pagina hoort bij een andere browser", Message: "U bent in een andere browser begonnen, of uw browser bewaart geen cookies. Wij gebruiken één cookie, en alleen om te weten dat u het zelf bent.",
			Next: "Ga verder in de browser waarin u begon. Of sta cookies toe en begin opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"away": {
			Title: "Wij krijgen geen antwoord", Message: "Wij moeten iets opvragen bij de partij waar u vandaan komt, en die antwoordt niet.",
			Next: "Wacht een paar minuten en begin opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"busy": {
			Title: "Het is erg druk", Message: "Er zijn nu te veel aanvragen tegelijk.",
			Next: "Wacht even en begin opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"broken": {
			Title: "Er ging iets mis", Message: "Door een storing bij ons weten wij nu niet of u mag handelen. Er is niets goedgekeurd en niets geweigerd.",
			Next: "Wacht een paar minuten en begin opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"undelivered": {
			Title: "Er ging iets mis", Message: "Wij hebben uw aanvraag behandeld, maar door een storing bij ons kan het antwoord niet mee terug.",
			Next: "Wacht een paar minuten en begin opnieuw op de website waar u wilt inloggen.", Reference: referenceNL,
		},
		"form": {
			Title: "U bent bijna klaar", Message: "Ons antwoord gaat met uw browser mee terug.",
			Next: "Druk op de knop om verder te gaan.", Button: "Ga verder",
		},
	},
	"en": {
		"unreadable": {
			Title: "This link does not work", Message: "Your browser did not send a valid request.",
			Next: "Go back to the website where you want to log in, and start there again.", Reference: referenceEN,
		},
		"unbelieved": {
			Title: "We cannot handle this request", Message: "The request is not correct, or does not come from a party that we know.",
			Next: "Go back to the website where you want to log in, and start there again.", Reference: referenceEN,
		},
		"gone": {
			Title: "This request was used already", Message: "A request can be used only once, and only for a short time. Perhaps you have reloaded the page, or used the back button.",
			Next: "Go back to the website where you want to log in, and start there again.", Reference: referenceEN,
		},
		"over": {
			Title: "You are done already, or you waited too long", Message: "You have chosen or cancelled here already, or it took longer than is allowed. There is nothing left to choose.",
			Next: "Do you want to log in again? Start again on the website where you want to log in.", Reference: referenceEN,
		},
		"elsewhere": {
			Title: "This page belongs to another browser", Message: "You started in another browser, or your browser keeps no cookies. We use one cookie, only to know that it is you.",
			Next: "Go on in the browser in which you started. Or allow cookies, and start again on the website where you want to log in.", Reference: referenceEN,
		},
		"away": {
			Title: "We get no answer", Message: "We have to ask something of the party that sent you here, and it does not answer.",
			Next: "Wait a few minutes, and start again on the website where you want to log in.", Reference: referenceEN,
		},
		"busy": {
			Title: "It is very busy", Message: "There are too many requests at this moment.",
			Next: "Wait a moment, and start again on the website where you want to log in.", Reference: referenceEN,
		},
		"broken": {
			Title: "Something went wrong", Message: "Because of a fault on our side we do not know now whether you may act. Nothing was approved and nothing was refused.",
			Next: "Wait a few minutes, and start again on the website where you want to log in.", Reference: referenceEN,
		},
		"undelivered": {
			Title: "Something went wrong", Message: "We have handled your request, but because of a fault on our side the answer cannot go back with you.",
			Next: "Wait a few minutes, and start again on the website where you want to log in.", Reference: referenceEN,
		},
		"form": {
			Title: "You are almost there", Message: "Your browser takes our answer back.",
			Next: "Press the button to go on.", Button: "Go on",
		},
	},
}

const (
	referenceNL = "Lukt het niet? Noem dan deze code aan de helpdesk:"
	referenceEN = "Does it still fail? Tell the helpdesk this code:"
)
