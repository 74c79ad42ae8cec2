package pdp

import "context"

// Find is what a decision costs without its record: looking for something kept, judging
// it, or asking the register.
func (p *PDP) Find(ctx context.Context, r Request) (*Finding, Source, error) {
	u, err := p.find(ctx, r)
	return u.Finding, u.source, err
}
