# A case of one's own, and a log-in without a browser. SANDBOX is the address that
# "mandated sandbox --folder sandbox" prints, and CA is sandbox/ca.crt.
api() { curl --silent --show-error --fail-with-body --cacert "$CA" -H 'Content-Type: application/json' "$@"; }

api "$SANDBOX/api/scenarios"
api -d '{"provider": "vat", "person": "Anna de Vries"}' "$SANDBOX/api/logins"

api -d '{"name": "Pim Pietersen"}' "$SANDBOX/api/persons"
api -d '{"name": "Drukkerij Letter", "kvk": "90123456"}' "$SANDBOX/api/companies"
mandate=$(api -d '{"kind": "direct", "register": "first", "company": "90123456", "person": "Pim Pietersen",
  "services": [{"service": "vat", "level": "loa3"}]}' "$SANDBOX/api/mandates" | sed -n 's/.*"id": "\(.*\)",/\1/p')
login=$(api -d '{"provider": "vat", "person": "Pim Pietersen"}' "$SANDBOX/api/logins" | sed -n 's/.*"id": "\(.*\)",/\1/p')
api "$SANDBOX/api/logins/$login"
api "$SANDBOX/api/logins/$login/messages/1"
api -X DELETE "$SANDBOX/api/mandates/$mandate"
api -d '{"provider": "vat", "person": "Pim Pietersen"}' "$SANDBOX/api/logins"

api "$SANDBOX/api/faults"
api -d '{"provider": "vat", "person": "Anna de Vries", "fault": "replayed"}' "$SANDBOX/api/logins"
api -X PUT -d '{"fault": "answer-altered"}' "$SANDBOX/api/faults/next"
api -d '{}' "$SANDBOX/api/reset"
