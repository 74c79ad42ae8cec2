package decision

import (
	"slices"

	"github.com/mandated/mandated/pkg/etoegang"
	"github.com/mandated/mandated/pkg/mandate"
)

// Choosing is the request of somebody who has chosen this option among those of r, for
// some of its services; none: all of them. Decided at the moment of choosing, it gives this
// option if that still holds, and otherwise the reasons why not.
func (o Option) Choosing(r Request, services []etoegang.ServiceUUID) Request {
	r.Chosen, r.Represented = true, o.Represented.KvK.LegalSubject()
	r.Intermediary = etoegang.Intermediary{}
	if o.Intermediary != nil {
		r.Intermediary.KvK = o.Intermediary.KvK
	}
	r.Establishments, r.ConfirmAt, r.Services = o.Establishments, o.ConfirmAt, services
	return r
}

// chosen tells whether the path leads where the user has chosen to go.
func (p path) chosen(r Request) bool {
	through := etoegang.KvKNumber{}
	if p.through != nil {
		through = p.through.KvK
	}
	return through == r.Intermediary.KvK && p.confirmAt == r.ConfirmAt &&
		slices.Equal(sortedEstablishments(p.establish), sortedEstablishments(r.Establishments))
}

// choosesElsewhere tells whether the choice may be of a client of which this register need
// not know anything, since another confirms it.
func (r Request) choosesElsewhere() bool {
	return r.Question == Authorize && r.Chosen && r.OwnElsewhere && !r.ConfirmAt.IsZero() && r.ConfirmAt != r.ConfirmHere &&
		r.Represented.Type() == etoegang.TypeKvKNr
}

// elsewherePath is the path through an intermediary that has mandated the person itself. The
// company's link is in the other register; here it is only a name.
func elsewherePath(m mandate.Mandate, f Facts, r Request) path {
	p := path{links: []mandate.Mandate{m}, through: &m.Grantor, confirmAt: r.ConfirmAt, informative: 1}
	if f.Represented != nil {
		p.grantor = *f.Represented
		return p
	}
	p.grantor = mandate.Organisation{Active: true}
	p.grantor.KvK, _ = etoegang.ParseKvKNumber(r.Represented.Text()) // its type says that it is one
	return p
}

// choosesServices tells whether services are left to choose.
func (r Request) choosesServices(o Option) bool {
	return r.Question == Authorize && r.UserChooses && !r.Chosen && len(o.Services) > 1
}

// wanted are the targets of a service that the request is about.
func wanted(targets []etoegang.Target, r Request) []etoegang.Target {
	if len(r.Services) == 0 {
		return targets
	}
	return slices.DeleteFunc(slices.Clone(targets), func(t etoegang.Target) bool { return !slices.Contains(r.Services, t.UUID) })
}

// dropNarrower refuses an option that no longer has every service that was chosen: nobody
// gets less than he asked for without being told.
func (d *Decision) dropNarrower(services []etoegang.ServiceUUID) {
	for _, o := range d.Options { // there is one at most, since all paths are the one that was chosen
		if !containsAll(o.Services, services) {
			d.Options, d.Reasons = nil, append(d.Reasons, Reason{ServiceNotCovered, o.Mandates[0]})
		}
	}
}
