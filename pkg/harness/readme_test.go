package harness_test

import (
	"context"
	"testing"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/harness"
)

// The README's example, as it stands there.
func TestMyPortal(t *testing.T) {
	network := harness.Start(t, harness.Options{})
	vat := network.Services["vat"]
	bakery := harness.Company("Bakkerij", "12345678", "123456782")
	anna := network.NewPerson("Anna")
	if _, err := network.First.Direct(bakery, anna, harness.For(vat, etoegang.LoA3)); err != nil {
		t.Fatal(err)
	}
	result, err := network.Broker.Authorize(context.Background(), harness.Question{Person: anna, Service: vat})
	if err != nil || !result.Reply.Permitted() {
		t.Fatalf("Anna may not file: %v", err)
	}
}
