# Four journeys by programs alone, each to the tax service. SANDBOX, CA and PROGRAMS are as above.
api() { curl --silent --show-error --fail-with-body --cacert "$CA" -H "Content-Type: ${type:-application/json}" "$@"; }
as() { api --cert "$PROGRAMS/$1.crt" --key "$PROGRAMS/$1.key" "${@:2}"; }
id() { grep -o '"id":[0-9]*' | head -1 | cut -d : -f 2; }
register=$(api "$SANDBOX/api/managing" | sed -n 's/.*"api": "\(.*\)".*/\1/p')/api/v1
today=$(TZ=Europe/Amsterdam date +%F) end=$(($(date +%Y) + 1))-01-01
vat=00000002-0000-4000-8000-000000000000@loa3 subsidy=00000003-0000-4000-8000-000000000000@loa3
login() { api "$SANDBOX/api/logins" -d '{"provider": "vat", "person": "'"$1"'"}'; }
isLetIn() { until login "$1" | grep -A 4 '"logged_in": true'; do sleep 1; done; } # who was refused a moment ago may hear so for a second
# employee NAME KIND GRANTOR MORE: a mandate for somebody who is new to the network
employee() {
  pseudonym=$(api "$SANDBOX/api/persons" -d '{"name": "'"$1"'"}' | sed -n 's/.*"pseudonym": "\(.*\)".*/\1/p')
  echo '{"kind": "'"$2"'", "grantor": {"kvkNumber": "'"$3"'"}, "scope": ["'$vat'"], "from": "'"$today"'", "until": "'$end'", "why": "a new employee",
    "person": {"authenticator": "urn:etoegang:AD:00000003520354760000:entities:9003", "pseudonym": "'"$pseudonym"'", "name": "'"$1"'"}'"$4"'}'
}

# On paper: one of the register's staff records it, a colleague reads the papers and confirms it.
paper=$(employee "Piet Papier" direct 23456789 ', "papers": [{"kind": "signed-form", "dated": "'"$today"'", "where": "box 7"},
  {"kind": "extract", "dated": "'"$today"'", "where": "box 8"}]' | as staff-1 "$register/mandates" -d @- | id)
login "Piet Papier"
as staff-1 "$register/mandates/$paper/acceptances" -d '{"why": "in a hurry"}' || true
as staff-2 "$register/mandates/$paper/history"
as staff-2 "$register/mandates/$paper/acceptances" -d '{"why": "the papers are in order"}'
isLetIn "Piet Papier"

# Two directors sign together: what one has signed waits for the other.
signed=$(employee "Lies Leiding" direct 45678901 "" | as director-1 "$register/mandates" -d @- | id)
login "Lies Leiding"
as director-2 "$register/requests"
as director-2 "$register/mandates/$signed/acceptances" -d '{"why": "agreed"}'
isLetIn "Lies Leiding"

# The office asks nine hundred clients at once, after a rehearsal. One of them agrees.
list() { echo kind,grantorKvk,intermediaryKvk,scope,from,until; for i in {0..899}; do printf 'chain,4%07d,87654321,%s,%s,%s\n' $((1000 + 7 * i)) $subsidy "$today" $end; done; }
list | type=text/csv as office "$register/imports?dryRun=true" --data-binary @- | tail -1
list | type=text/csv as office "$register/imports?why=subsidies" -H "Idempotency-Key: $RANDOM$RANDOM" --data-binary @- | tail -1
asked=$(as client "$register/requests" | id)
as client "$register/mandates/$asked/acceptances" -d '{"why": "agreed"}'
as office "$register/clients?search=40001000"

# An employee of the office leaves: all that is hers ends at once.
client=$(as office "$register/clients?search=40001014" | id)
hers=$(employee "Vera Vertrek" assignment 87654321 ', "client": '"$client" | as office "$register/mandates" -d @-)
isLetIn "Vera Vertrek"
number=$(echo "$hers" | sed -n 's/.*"person":{"number":\([0-9]*\).*/\1/p')
as office "$register/people/$number/offboardings" -d '{"why": "left the company"}'
as office "$register/mandates/$(echo "$hers" | id)"
login "Vera Vertrek"
