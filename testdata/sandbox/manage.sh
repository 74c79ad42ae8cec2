# The office asks for a mandate, the bakery accepts it, an employee of the office logs in for
# the bakery, and the bakery revokes. SANDBOX and CA are as above, PROGRAMS is
# sandbox/network/programs.
api() { curl --silent --show-error --fail-with-body --cacert "$CA" -H 'Content-Type: application/json' "$@"; }
as() { api --cert "$PROGRAMS/$1.crt" --key "$PROGRAMS/$1.key" "${@:2}"; }
id() { grep -o '"id":[0-9]*' | head -1 | cut -d : -f 2; }

register=$(api "$SANDBOX/api/managing" | sed -n 's/.*"api": "\(.*\)".*/\1/p')/api/v1
today=$(TZ=Europe/Amsterdam date +%F) end=$(($(date +%Y) + 1))-01-01
vat=00000002-0000-4000-8000-000000000000@loa3
as office "$register/me"
asked=$(as office "$register/mandates" -d '{"kind": "chain", "grantor": {"kvkNumber": "12345678"}, "intermediary": {"kvkNumber": "87654321"},
  "scope": ["'$vat'"], "from": "'$today'", "until": "'$end'", "why": "the VAT returns"}' | id)
as bakery "$register/requests"
as bakery "$register/mandates/$asked/acceptances" -d '{"why": "agreed by telephone"}'

pseudonym=$(api "$SANDBOX/api/persons" -d '{"name": "Roos Rekenaar"}' | sed -n 's/.*"pseudonym": "\(.*\)".*/\1/p')
assigned=$(as office "$register/mandates" -d '{"kind": "assignment", "grantor": {"kvkNumber": "87654321"}, "client": '$asked',
  "person": {"authenticator": "urn:etoegang:AD:00000003520354760000:entities:9003", "pseudonym": "'$pseudonym'", "name": "Roos Rekenaar"},
  "scope": ["'$vat'"], "from": "'$today'", "until": "'$end'", "why": "a new client"}' | id)
as office "$register/clients?search=korenbloem"
api -d '{"provider": "vat", "person": "Roos Rekenaar"}' "$SANDBOX/api/logins"
until as office "$register/mandates/$assigned/use" | grep lastUsed; do sleep 1; done # known in a second or two

as bakery "$register/mandates/$asked/revocations" -d '{"why": "another accountant"}'
as office "$register/mandates/$assigned"
api -d '{"provider": "vat", "person": "Roos Rekenaar"}' "$SANDBOX/api/logins"
