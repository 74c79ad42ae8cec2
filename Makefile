# The targets people type: make demo, make sandbox, make test. The others measure.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZ = ./pkg/xmlsec:FuzzRead ./pkg/xmlsec:FuzzVerify ./pkg/xmlsec:FuzzEngines \
	./pkg/saml:FuzzReceive ./pkg/saml:FuzzQuery ./pkg/saml:FuzzArtifact \
	./pkg/saml:FuzzChainInfo ./pkg/saml:FuzzRedirect ./pkg/catalogue:FuzzParse \
	./internal/intake/sheet:FuzzRead \
	./internal/intake:FuzzLines ./internal/intake:FuzzImport ./internal/cache:FuzzOpen \
	./internal/sandbox/explain:FuzzExplain ./internal/mail:FuzzParseAddress \
	./internal/mail:FuzzRender ./internal/signin:FuzzFinish
N ?= 1000000

# What runs a second time without the race detector, which sees a part of its rounds
# (corpus.Slower, corpus.Part): whole rooms, and tests of others.
WHOLE = ./pkg/decision ./internal/manage/api
THINNED = ./pkg/pdp ./pkg/harness ./internal/desk ./internal/manage/pages
THINNED_TESTS = Corpus|ReplayAgrees|NamesAllWhose|History|Eyes|Editions

# What strangers do to signatures and to what is in them is tried on the other engine, too.
OTHER_ENGINE = Engine|Letter|Signature|Hand|Wrapped|Assertion|Hidden|DocumentType|Encodings|Undecryptable|Structure|Habits|Crewjam

# The race detector watches all code but SQLite's, which a machine made of C and which locks by
# itself, and what Go's own library makes of bytes that it is given: watching those takes more
# than half of the time and says nothing of us. What is found by looking at the code is asked of
# the same build, and the rest of the same build as people run: so everything is compiled twice,
# and not five times.
UNWATCHED = modernc.org/sqlite/lib modernc.org/libc modernc.org/memory crypto/... encoding/...
RACE = -race $(foreach p,$(UNWATCHED),-gcflags=$(p)=-race=false) $(WITH)
PLAIN = CGO_ENABLED=0 go test -trimpath -vet=off -timeout 15m -parallel 8

# The signing engines that need OpenSSL's headers are tested where those are.
ENGINES = openssl,pkcs11
WITH = $(if $(MANDATED_REQUIRE_SERVERS)$(shell echo '\#include <openssl/evp.h>' | $(CC) -E - >/dev/null 2>&1 && echo yes),-tags=$(ENGINES))

# Tests wait half of the time: for servers, browsers and locks.
SIDE_BY_SIDE = -p $(shell expr 2 \* $$(getconf _NPROCESSORS_ONLN))

.PHONY: demo sandbox test bench fuzz mutants soak load build

# TAGS=openssl,pkcs11 adds signing engines, and with them the need of a C library.
build:
	CGO_ENABLED=$(if $(TAGS),1,0) go build -trimpath $(if $(TAGS),-tags $(TAGS)) -o bin/mandated ./cmd/mandated

demo: build
	bin/mandated demo $(ARGS)

# The whole network for people with a browser. FOLDER keeps the certificate they trust.
sandbox: build
	bin/mandated sandbox $(if $(FOLDER),--folder $(FOLDER)) $(ARGS)

# Tests make much that is used once: collected less often, they take a fifth less time.
test: export GOGC = 400
test:
	@if [ -z "$$MANDATED_REQUIRE_SERVERS" ]; then for tool in postgres:PostgreSQL redis-server:Redis xmlsec1:xmlsec1 xmllint:xmllint node:Node.js aiosmtpd:aiosmtpd; do \
		PATH="$$PATH:$$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tr '\n' ':')" command -v $${tool%%:*} >/dev/null || echo "tests with $${tool#*:} are skipped: it is not installed"; done; \
		command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || echo "tests with Chromium are skipped: it is not installed"; fi
	@unformatted=$$(gofmt -l cmd internal pkg); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	@[ -n "$(WITH)" ] || echo "the engines openssl and pkcs11 are not tested: the headers of OpenSSL are missing"
	go vet $(RACE) ./...
	CGO_ENABLED=0 GOBIN=$(CURDIR)/bin go install -trimpath $(STATICCHECK)
	GOFLAGS="$(RACE)" bin/staticcheck ./...
	go test $(RACE) $(SIDE_BY_SIDE) -vet=off -timeout 15m $$(go list ./... | grep -v -e internal/eyes -e internal/drill)
	go test $(RACE) -vet=off -timeout 15m ./internal/drill # real nodes with leases, which whoever takes their processor makes late
	$(PLAIN) ./internal/eyes # a browser takes all the processors there are
	$(PLAIN) $(WHOLE)
	$(PLAIN) $(SIDE_BY_SIDE) -run '$(THINNED_TESTS)' $(THINNED)
	$(PLAIN) -run EnginesThatAreNotHere ./internal/signing
	MANDATED_XML_ENGINE=reference $(PLAIN) -run '$(OTHER_ENGINE)' ./internal/outside # the other engine first
	MANDATED_XML_ENGINE=reference $(PLAIN) -run 'Corpus/chain' ./pkg/harness # with the most signatures

# Every target in turn, N executions each, and ten times as many of the two engines against
# each other.
fuzz:
	@for target in $(FUZZ); do \
		echo "$$target"; \
		n=$(N); case $$target in *:FuzzEngines) n=$${n}0;; esac; \
		go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $${n}x -fuzzminimizetime 20x "$${target%:*}" || exit 1; \
	done

# What decisions, look-ups and imports cost, beside the cryptography they cannot do without
# and beside other people's software, where that is installed: libxmlsec1-dev, and
# xml-crypto by npm install -g. QUICK=1 measures decisions only, and less often.
bench:
	MANDATED_BENCH=$(if $(QUICK),quick,all) go test $(shell pkg-config --exists libcrypto 2>/dev/null && echo -tags openssl) -count 1 -timeout 30m -v -run TestBench ./internal/bench
ifndef QUICK
	go test -run '^$$' -bench . -benchtime 100x ./pkg/xmlsec
	go test -run '^$$' -bench 'HeldBy|Between' -benchtime 5000x ./pkg/register
	go test -run '^$$' -bench 'Open|Import' -benchtime 40x ./pkg/register
	go test -run '^$$' -bench Import/new -benchtime 100000x ./internal/intake
	go test -run '^$$' -bench Parse -benchtime 1x ./pkg/catalogue
	go test -run '^$$' -bench HotHit ./pkg/pdp
	go test -run '^$$' -bench . ./internal/cache
	go test $(if $(TAGS),-tags $(TAGS)) -run '^$$' -bench Sign -benchtime 400x ./internal/signing
	go test -run '^$$' -bench Append -benchtime 5000x ./internal/journal
	go test -run '^$$' -bench Admit -benchtime 5000x ./internal/guard
	go test -run '^$$' -bench Hostile -benchtime 20x ./internal/outside
	go test -run '^$$' -bench 'Choice|Artifact' -benchtime 20x ./internal/bench
	go test -run '^$$' -bench Discover -benchtime 3x ./internal/server
	go test -run '^$$' -bench Clients -benchtime 50x -timeout 30m ./internal/desk
	go test -run '^$$' -bench ImportHTTP -benchtime 1x -count 3 -timeout 30m ./internal/manage/api
	go test -run '^$$' -bench Changes -benchtime 3x -timeout 30m ./internal/manage/api
endif

# Processes killed over and over at random moments, real nodes asked after every revocation in
# all states of Redis, a million steps of the simulation, generated worlds ten times over,
# fifty thousand histories of mandates on paper and in the register.
soak:
	MANDATED_SOAK=1 go test -timeout 2h -run 'Kill' -v ./pkg/register ./internal/journal ./cmd/mandated
	MANDATED_SOAK=1 go test -timeout 2h -v ./internal/drill
	MANDATED_SOAK=1 go test -timeout 2h -run History -v ./internal/desk
	MANDATED_SOAK=1 go test -timeout 2h -run NothingGrows -v ./internal/daemon
	MANDATED_SOAK=1 go test -timeout 2h -run Simulation -v ./pkg/freshness
	go test -timeout 2h -count 10 -run 'Model|Law|World' ./pkg/decision

# Every check of the gate and of the fast engine taken out in turn, and every rule by which a hot
# decision counts: a test must fail.
mutants:
	MANDATED_MUTANTS=1 go test -timeout 1h -run Mutants ./pkg/freshness
	MANDATED_MUTANTS=1 go test -timeout 5h -run EveryCheck -v ./pkg/xmlsec

# What decisions cost on ten million mandates in PostgreSQL.
load:
	MANDATED_LOAD=$(or $(MANDATES),10000000) go test -timeout 2h -v -run Mandates ./internal/load
