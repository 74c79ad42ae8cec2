package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/mandated/mandated/pkg/mandate"
	"github.com/mandated/mandated/pkg/register"
)

// Who may use an operation: programs, and directors who sign through software of their own.
// Administrators come in by the pages.
var (
	readers = []mandate.Role{mandate.Program, mandate.Reader, mandate.Director}
	writers = []mandate.Role{mandate.Program, mandate.Director}
)

// keepers lets the register's staff use an operation, too: what they do with the mandates of
// anybody, on paper or not, and what they see of their own.
func keepers(o huma.Operation) huma.Operation {
	o.Extensions[extensionRoles] = append(slices.Clone(rolesOf(&o)), mandate.Staff)
	return o
}

// alone keeps an operation for the register's staff: who the parties are, and how they stand.
func alone(o huma.Operation) huma.Operation {
	o.Extensions[extensionRoles] = []mandate.Role{mandate.Staff}
	return o
}

// extensionRoles is where the OpenAPI document tells which roles may use an operation.
const extensionRoles = "x-roles"

func rolesOf(o *huma.Operation) []mandate.Role {
	roles, _ := o.Extensions[extensionRoles].([]mandate.Role)
	return roles
}

const keyTime = "time"

func timeOf(o *huma.Operation) time.Duration {
	if d, ok := o.Metadata[keyTime].(time.Duration); ok {
		return d
	}
	return patience
}

// operations are all there are.
func (a *api) operations() {
	add(a, keepers(read("get-me", "/me", "Who you are to the register")), a.me)

	add(a, read("list-mandates", "/mandates", "The mandates that your organisation gives and receives"), a.listMandates)
	add(a, keepers(write("ask-mandate", "/mandates", "Give a mandate, assign a client, or ask for a mandate",
		"Whether it is in force at once or waits for somebody's answer, its state tells. A mandate that is there already is refused, with its number: repeating a request does no harm.", http.StatusCreated)), a.askMandate)
	add(a, keepers(read("get-mandate", "/mandates/{id}", "One mandate")), a.getMandate)
	add(a, keepers(read("get-mandate-history", "/mandates/{id}/history", "What was done to a mandate, and the states it has had")), a.getHistory)
	if a.LastUse != nil {
		add(a, keepers(read("get-mandate-use", "/mandates/{id}/use", "When a mandate was last used")), a.getUse)
	}
	add(a, keepers(write("accept-mandate", "/mandates/{id}/acceptances", "Agree to what is asked for, as it stands or for less",
		"What is agreed to for less is another mandate, which takes the place of the one that was asked for. Where several must sign, its state tells whether others still have to.", http.StatusCreated)), a.accept)
	add(a, keepers(write("refuse-mandate", "/mandates/{id}/refusals", "Refuse what is asked for, or withdraw what you asked for", "", http.StatusCreated)), a.refuse)
	add(a, keepers(write("suspend-mandate", "/mandates/{id}/suspensions", "Stop a mandate for the time being",
		"When the answer comes, nobody decides by it any more.", http.StatusCreated)), a.suspend)
	add(a, keepers(write("resume-mandate", "/mandates/{id}/resumptions", "Let a mandate go on that your side has suspended", "", http.StatusCreated)), a.resume)
	add(a, keepers(write("revoke-mandate", "/mandates/{id}/revocations", "End a mandate for good",
		"When the answer comes, nobody decides by it any more. The assignments of a chain mandate end with it.", http.StatusCreated)), a.revoke)
	add(a, keepers(write("narrow-mandate", "/mandates/{id}/narrowings", "Make a mandate less, at once",
		"A narrower mandate takes its place, with a number of its own.", http.StatusCreated)), a.narrow)

	add(a, keepers(read("list-requests", "/requests", "What is asked for and waits for an answer, of your side or of another; for the register's staff what they have recorded")), a.listRequests)
	add(a, read("list-clients", "/clients", "For whom your people may act: your clients, whether both halves fit, and the one edit that mends it"), a.listClients)
	add(a, read("list-representatives", "/representatives", "Who may act for your organisation, and when they last did"), a.listRepresentatives)
	add(a, write("offboard-person", "/people/{person}/offboardings", "End everything that your organisation gave to somebody who leaves",
		"All of it ends in one change: what he may do for your organisation itself and for its clients, what is asked for him, and his place in teams. When the answer comes, nobody decides by any of it any more.", http.StatusOK), a.offboard)
	add(a, write("hand-over-person", "/people/{person}/handovers", "Hand over to a colleague what your organisation has assigned to somebody",
		aboutHandovers, http.StatusOK), a.handOver)
	add(a, keepers(read("list-appointments", "/appointments", "Who manages the mandates of your organisation: people and programs")), a.listAppointments)
	add(a, keepers(read("list-services", "/services", "Search the service catalogue")), a.listServices)

	a.teams()
	a.parties()

	add(a, keepers(read("get-terms", "/terms", "What mandates cost, and which services belong together")), a.getTerms)
	add(a, either[Fees](a, keepers(read("list-fees", "/fees", "What your organisation has to pay for what it granted; for the register's staff what everybody has")), aboutFees), a.listFees)

	add(a, streamed(read("list-changes", "/changes", "Every mandate of yours that changed after a revision, in the order in which they did"),
		aboutChanges, typeLines), a.listChanges)
	add(a, streamed(read("export-mandates", "/exports", "All mandates of yours, as CSV or JSON lines by Accept"),
		aboutExports, typeCSV, typeLines), a.exportMandates, http.StatusNotAcceptable)
	add(a, upload(streamed(write("import-mandates", "/imports", "Ask for many mandates at once, from CSV or JSON lines", "", http.StatusOK),
		aboutImports, typeLines)), a.importMandates)
}

// teams are the operations on teams: how an organisation gives out what its clients gave it.
func (a *api) teams() {
	add(a, read("list-teams", "/teams", "The teams of your organisation"), a.listTeams)
	add(a, write("make-team", "/teams", "Make a team", "It has no members and no clients yet.", http.StatusCreated), a.makeTeam)
	add(a, read("get-team", "/teams/{id}", "One team: its members, and how many assignments they lack"), a.getTeam)
	add(a, by(http.MethodPut, write("rename-team", "/teams/{id}", "Give a team another name", "", http.StatusOK)), a.renameTeam)
	add(a, by(http.MethodDelete, write("end-team", "/teams/{id}", "End a team in which nobody is", "", http.StatusOK)), a.endTeam)
	add(a, write("add-team-member", "/teams/{id}/members", "Put somebody in a team",
		"What its clients gave is not his yet: see assignments.", http.StatusOK), a.addMember)
	add(a, by(http.MethodDelete, write("drop-team-member", "/teams/{id}/members/{person}", "Take somebody out of a team",
		"When the answer comes, nobody decides any more by his assignments for its clients, but for those that he has by another team.", http.StatusOK)), a.dropMember)
	add(a, read("list-team-clients", "/teams/{id}/clients", "For whom a team works"), a.listTeamClients)
	add(a, write("add-team-clients", "/teams/{id}/clients", "Let a team work for clients of yours",
		"If one of them is no client of yours, none is added. What they gave is assigned to nobody yet: see assignments.", http.StatusOK), a.addClients)
	add(a, by(http.MethodDelete, write("drop-team-client", "/teams/{id}/clients/{kvkNumber}", "Let a team work for a client no longer",
		"When the answer comes, nobody decides any more by its members' assignments for that client, but for those who have it by another team.", http.StatusOK)), a.dropClient)
	add(a, write("fill-team", "/teams/{id}/assignments", "Assign to the members of a team what they lack of its clients' mandates",
		aboutFilling, http.StatusOK), a.fillTeam)
}

// parties are the operations of the register's staff on organisations and people.
func (a *api) parties() {
	add(a, alone(read("list-parties", "/parties", "Search the organisations of the register")), a.listParties)
	add(a, alone(read("get-party", "/parties/{kvkNumber}", "An organisation: what the trade register says of it, and whether the emergency stop holds it")), a.getParty)
	add(a, alone(read("list-party-appointments", "/parties/{kvkNumber}/appointments", "Who manages the mandates of an organisation")), a.listPartyAppointments)
	add(a, alone(read("list-party-mandates", "/parties/{kvkNumber}/mandates", "The mandates that an organisation gives and receives")), a.listPartyMandates)
	add(a, alone(by(http.MethodPut, write("put-party-standing", "/parties/{kvkNumber}/standing", "Write down what the trade register says of a company",
		"It ends no mandate. The company, the other sides of its chain mandates and the register's staff are told if it stands otherwise.", http.StatusOK))), a.putStanding)
	add(a, alone(write("stop-party", "/parties/{kvkNumber}/stops", "The emergency stop of an organisation", aboutStops, http.StatusOK)), a.stopParty)
	add(a, alone(write("lift-party", "/parties/{kvkNumber}/liftings", "Lift the emergency stop of an organisation", aboutLiftings, http.StatusOK)), a.liftParty)
	add(a, alone(read("get-person", "/people/{person}", "A person, and whether the emergency stop holds him")), a.getPerson)
	add(a, alone(read("list-person-mandates", "/people/{person}/mandates", "The mandates to a person, whoever gives them")), a.listPersonMandates)
	add(a, alone(write("stop-person", "/people/{person}/stops", "The emergency stop of a person", aboutStops, http.StatusOK)), a.stopPerson)
	add(a, alone(write("lift-person", "/people/{person}/liftings", "Lift the emergency stop of a person", aboutLiftings, http.StatusOK)), a.liftPerson)
}

const (
	aboutStops    = `Nothing is permitted to, from or through whom it holds, however many mandates he has, until it is lifted. The mandates stay as they are. When the answer comes, nobody decides as before.`
	aboutLiftings = `The mandates count again as they stand.`
)

func read(id, path, summary string) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Extensions: map[string]any{extensionRoles: readers}}
}

func write(id, path, summary, description string, status int) huma.Operation {
	return huma.Operation{OperationID: id, Method: http.MethodPost, Path: path, Summary: summary, Description: description, DefaultStatus: status,
		MaxBodyBytes: mostBody, BodyReadTimeout: patience, Extensions: map[string]any{extensionRoles: writers}}
}

// by is an operation of another method: PUT gives what is there another shape, DELETE ends it.
func by(method string, o huma.Operation) huma.Operation {
	o.Method = method
	return o
}

// streamed is an operation of which the answer comes in lines, however many there are.
func streamed(o huma.Operation, description string, types ...string) huma.Operation {
	o.Description, o.Metadata = description, map[string]any{keyTime: longStream}
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: "string"}}
	}
	o.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: content}}
	return o
}

// add registers an operation. Each declares the problems it can answer with, those of its own
// last, and says errors as the one table has them. In the document they stand together by what
// their addresses begin with.
func add[I, O any](a *api, o huma.Operation, handle func(context.Context, *I) (*O, error), own ...int) {
	if o.Responses == nil {
		o.Responses = map[string]*huma.Response{}
	}
	o.Tags = strings.Split(o.Path, "/")[1:2]
	schema := a.huma.OpenAPI().Components.Schemas.Schema(problemType, true, "Problem")
	statuses := append(own, 400, 401, 403, 404, 429, 500, 503)
	switch o.Method {
	case http.MethodPost, http.MethodPut:
		statuses = append(statuses, 408, 409, 413, 415)
	case http.MethodDelete:
		statuses = append(statuses, 409)
	}
	for _, status := range statuses {
		r := &huma.Response{Description: http.StatusText(status), Headers: map[string]*huma.Param{},
			Content: map[string]*huma.MediaType{"application/problem+json": {Schema: schema}}}
		if status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable {
			r.Headers[headerRetry] = &huma.Header{Description: "after how many seconds to try again", Schema: &huma.Schema{Type: "integer"}}
		}
		o.Responses[strconv.Itoa(status)] = r
	}
	huma.Register(a.huma, o, func(ctx context.Context, in *I) (*O, error) {
		out, err := handle(ctx, in)
		if err != nil {
			return nil, a.problem(ctx, err)
		}
		return out, nil
	})
	for _, response := range o.Responses {
		if response.Headers == nil {
			response.Headers = map[string]*huma.Param{}
		}
		response.Headers["API-Version"] = &huma.Header{Description: "the version of this interface", Schema: &huma.Schema{Type: "string"}}
	}
}

// within is an error of what was looked for, and not of looking.
type within struct{ error }

func inside(err error) error {
	if err == nil {
		return nil
	}
	return &within{err}
}

func isNotFound(err error) bool { return errors.Is(err, register.ErrNotFound) }
