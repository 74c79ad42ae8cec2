# The two targets people type: make demo, make test. The others measure.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZ = ./pkg/xmlsec:FuzzRead ./pkg/xmlsec:FuzzVerify ./pkg/xmlsec:FuzzEngines ./pkg/saml:FuzzReceive ./pkg/saml:FuzzQuery ./pkg/catalogue:FuzzParse ./internal/intake:FuzzLines ./internal/intake:FuzzImport ./internal/cache:FuzzOpen
N ?= 1000000

# What the race detector sees a part of: the corpus on real stores and over HTTP, the laws.
WHOLE = ./pkg/decision ./pkg/pdp ./pkg/harness

.PHONY: demo test bench fuzz mutants soak load build

build:
	CGO_ENABLED=0 go build -trimpath -o bin/mandated ./cmd/mandated

demo: build
	bin/mandated demo $(ARGS)

test:
	@unformatted=$$(gofmt -l cmd internal pkg); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -race -timeout 15m ./...
	go test -timeout 15m -parallel 8 $(WHOLE) # they wait more than they work

# Every target in turn, N executions each.
fuzz:
	@for target in $(FUZZ); do \
		echo "$$target"; \
		go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(N)x -fuzzminimizetime 20x "$${target%:*}" || exit 1; \
	done

# What decisions, look-ups and imports cost, beside the cryptography they cannot do without.
bench:
	GOGC=400 go test -run '^$$' -bench Decision -benchtime 400x ./pkg/harness
	GOGC=400 go test -run '^$$' -bench . -benchtime 100x ./pkg/xmlsec
	GOGC=400 go test -run '^$$' -bench Messages -benchtime 100x ./pkg/saml
	go test -run '^$$' -bench 'HeldBy|Between' -benchtime 5000x ./pkg/register
	go test -run '^$$' -bench 'Open|Import' -benchtime 40x ./pkg/register
	go test -run '^$$' -bench Import/new -benchtime 100000x ./internal/intake
	go test -run '^$$' -bench Parse -benchtime 1x ./pkg/catalogue
	go test -run '^$$' -bench HotHit ./pkg/pdp
	go test -run '^$$' -bench . ./internal/cache
	go test -run '^$$' -bench Append -benchtime 5000x ./internal/journal
	go test -run '^$$' -bench Admit -benchtime 5000x ./internal/guard
	go test -run '^$$' -bench Hostile -benchtime 20x ./internal/outside

# Processes killed over and over at random moments, real nodes asked after every revocation in
# all states of Redis, a million steps of the simulation, generated worlds ten times over.
soak:
	MANDATED_SOAK=1 go test -timeout 2h -run 'Kill' -v ./pkg/register ./internal/journal ./cmd/mandated
	MANDATED_SOAK=1 go test -timeout 2h -v ./internal/drill
	MANDATED_SOAK=1 go test -timeout 2h -run Simulation -v ./pkg/freshness
	go test -timeout 2h -count 10 -run 'Model|Law|World' ./pkg/decision

# Every check of the gate and of the fast engine taken out in turn: a test must fail.
mutants:
	MANDATED_MUTANTS=1 go test -timeout 5h -run EveryCheck -v ./pkg/xmlsec

# What decisions cost on ten million mandates in PostgreSQL.
load:
	MANDATED_LOAD=$(or $(MANDATES),10000000) go test -timeout 2h -v -run Mandates ./internal/load
