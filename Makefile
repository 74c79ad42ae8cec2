# The two targets people type: make demo, make test. The others measure.

STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2
FUZZ = ./pkg/xmlsec:FuzzRead ./pkg/xmlsec:FuzzVerify ./pkg/saml:FuzzReceive ./pkg/saml:FuzzQuery ./pkg/catalogue:FuzzParse ./internal/intake:FuzzLines
N ?= 1000000

.PHONY: demo test bench fuzz soak build

build:
	CGO_ENABLED=0 go build -trimpath -o bin/mandated ./cmd/mandated

demo: build
	bin/mandated demo $(ARGS)

test:
	@unformatted=$$(gofmt -l cmd internal pkg); if [ -n "$$unformatted" ]; then echo "gofmt would change: $$unformatted"; exit 1; fi
	go vet ./...
	go run $(STATICCHECK) ./...
	go test -race -timeout 15m ./...

# Every target in turn, N executions each.
fuzz:
	@for target in $(FUZZ); do \
		echo "$$target"; \
		go test -run '^$$' -fuzz "^$${target#*:}$$" -fuzztime $(N)x -fuzzminimizetime 20x "$${target%:*}" || exit 1; \
	done
