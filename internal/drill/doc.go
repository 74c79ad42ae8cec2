// Package drill holds no code. Its tests show the promise of the register where it is
// made: on daemons that are processes, on a real PostgreSQL and a real Redis that are
// killed, paused, cut off, filled, restored from old dumps and failed over.
//
// The room owns the scenes and the stage on which they play: the binary, its processes and
// the wires between them and their stores. It asks as brokers ask, by signed queries over
// HTTP, and knows what the answer must be from what it has changed in the register itself.
// It never looks into the daemons, except at what operators see of them: readiness, metrics
// and log.
//
// A scene that shows that nothing goes wrong proves something only if it could. So the
// scenes also play with a binary in which the lease rule is switched off, and must catch
// it; and a scene about hot decisions makes sure that there were any.
//
// MANDATED_SOAK=1 asks ten times as much. What was counted and measured stands in lines
// that begin with "figure:".
package drill
