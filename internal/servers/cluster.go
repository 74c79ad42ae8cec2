package servers

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// shards is how many masters a cluster has, each with one replica.
const shards = 3

// slots is how many parts the keys of every Redis Cluster fall into.
const slots = 16384

// Cluster is a Redis Cluster of three masters and three replicas, in which a node is
// taken for dead after a second.
type Cluster struct {
	t     TB
	nodes []*RedisServer // the first masters, then their first replicas
	buses []int          // the ports where they talk among themselves
}

// RedisCluster starts a cluster that is this test's alone, and removes it at the test's
// end.
func RedisCluster(t TB) *Cluster {
	t.Helper()
	c := &Cluster{t: t}
	for range 2 * shards {
		c.buses = append(c.buses, Free(t))
		c.nodes = append(c.nodes, newRedis(t, RedisOptions{Settings: []string{
			"cluster-enabled yes",
			"cluster-node-timeout 1000",
			fmt.Sprintf("cluster-port %d", c.buses[len(c.nodes)]),
			"cluster-announce-ip 127.0.0.1",
			"repl-ping-replica-period 1",
			"repl-diskless-sync-delay 0",
		}}))
	}
	startAll(t, c.nodes)
	c.join()
	c.WaitHealthy()
	return c
}

// startAll starts servers side by side.
func startAll(t TB, nodes []*RedisServer) {
	t.Helper()
	started := make(chan error)
	for _, n := range nodes {
		go func() { started <- n.server.launch() }()
	}
	var failed error
	for range nodes {
		failed = errors.Join(failed, <-started)
	}
	if failed != nil {
		t.Fatalf("starting several Redis: %v", failed)
	}
}

// startDead starts those servers that do not run.
func startDead(t TB, nodes []*RedisServer) {
	t.Helper()
	startAll(t, slices.DeleteFunc(slices.Clone(nodes), func(n *RedisServer) bool { return n.server.runs() }))
}

// join makes one cluster of nodes that do not know each other.
func (c *Cluster) join() {
	c.t.Helper()
	for i, n := range c.nodes {
		n.do("CLUSTER", "SET-CONFIG-EPOCH", i+1)
		if i < shards {
			n.do("CLUSTER", "ADDSLOTSRANGE", i*slots/shards, (i+1)*slots/shards-1)
		}
		if i > 0 {
			n.do("CLUSTER", "MEET", "127.0.0.1", c.nodes[0].port, c.buses[0])
		}
	}
	for i, replica := range c.nodes[shards:] {
		until(c.t, "making a replica", func() error {
			_, err := replica.ask("CLUSTER", "REPLICATE", c.nodes[i].do("CLUSTER", "MYID"))
			return err
		})
	}
}

// Addrs are where the nodes listen, as host:port.
func (c *Cluster) Addrs() []string { return addrs(c.nodes) }

func addrs(nodes []*RedisServer) []string {
	var all []string
	for _, n := range nodes {
		all = append(all, n.Addr())
	}
	return all
}

// Nodes are the servers, in the order of Addrs.
func (c *Cluster) Nodes() []*RedisServer { return c.nodes }

// Master is who serves shard i, of 0, 1 and 2, as the nodes that answer agree; a dead one
// still, until it is taken for dead.
func (c *Cluster) Master(i int) *RedisServer {
	c.t.Helper()
	var master *RedisServer
	until(c.t, fmt.Sprintf("the master of shard %d", i), func() (err error) {
		master, err = agreed(c.nodes, c.nodes, func(n *RedisServer) (string, error) {
			view, err := n.view()
			return view.owners[i], err
		})
		return err
	})
	return master
}

// agreed returns the one of some servers whose address all witnesses that answer name.
func agreed(witnesses, servers []*RedisServer, names func(*RedisServer) (string, error)) (*RedisServer, error) {
	var all []string
	for _, w := range witnesses {
		if !w.server.runs() {
			continue
		}
		if addr, err := names(w); err == nil {
			all = append(all, addr)
		}
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) != 1 {
		return nil, fmt.Errorf("they name %q", all)
	}
	if i := slices.Index(addrs(servers), all[0]); i >= 0 {
		return servers[i], nil
	}
	return nil, fmt.Errorf("they name %q, which is none of theirs", all[0])
}

// KillMaster kills who serves shard i and returns it. Its replica takes over within a few
// seconds: until then the shard is not served.
func (c *Cluster) KillMaster(i int) *RedisServer {
	c.t.Helper()
	master := c.Master(i)
	master.Kill()
	return master
}

// Restart starts every node that does not run, and waits until the cluster is whole.
func (c *Cluster) Restart() {
	c.t.Helper()
	startDead(c.t, c.nodes)
	c.WaitHealthy()
}

// WaitHealthy waits until all nodes run, agree on who serves what, and every master has a
// replica that is up to date: one more kill is survived.
func (c *Cluster) WaitHealthy() {
	c.t.Helper()
	until(c.t, "waiting for the cluster", func() error {
		var first clusterView
		for i, n := range c.nodes {
			view, err := n.view()
			if err != nil {
				return err
			}
			if i == 0 {
				first = view
			}
			if err := view.healthy(first); err != nil {
				return fmt.Errorf("%s: %w", n.Addr(), err)
			}
			if err := n.replicates(); err != nil {
				return fmt.Errorf("%s: %w", n.Addr(), err)
			}
		}
		return nil
	})
}

// clusterView is the cluster as one node sees it.
type clusterView struct {
	state  string
	up     int            // nodes that it is connected to, itself among them
	owners [shards]string // address of who serves the first slot of each shard
}

// view reads CLUSTER NODES, a line each:
//
//	ID HOST:PORT@BUS FLAGS MASTER PING PONG EPOCH LINK SLOTS...
func (r *RedisServer) view() (clusterView, error) {
	var v clusterView
	info, err := r.ask("CLUSTER", "INFO")
	if err != nil {
		return v, err
	}
	v.state = field(info, "cluster_state")
	nodes, err := r.ask("CLUSTER", "NODES")
	if err != nil {
		return v, err
	}
	for line := range strings.Lines(nodes) {
		f := strings.Fields(line)
		if len(f) < 8 || strings.Contains(f[2], "fail") || strings.Contains(f[2], "handshake") {
			continue
		}
		if f[7] == "connected" || strings.Contains(f[2], "myself") {
			v.up++
		}
		addr, _, _ := strings.Cut(f[1], "@")
		for _, served := range f[8:] {
			for i := range v.owners {
				if strings.HasPrefix(served, fmt.Sprintf("%d-", i*slots/shards)) {
					v.owners[i] = addr
				}
			}
		}
	}
	return v, nil
}

func (v clusterView) healthy(other clusterView) error {
	if v.state != "ok" || v.up != 2*shards {
		return fmt.Errorf("the cluster is %q, %d nodes are up", v.state, v.up)
	}
	if v.owners != other.owners {
		return fmt.Errorf("not all see the same masters")
	}
	return nil
}

// replicates tells what is missing: a master needs a replica that follows it, and a
// replica a master.
func (r *RedisServer) replicates() error {
	info, err := r.ask("INFO", "replication")
	if err != nil {
		return err
	}
	if field(info, "role") == "master" {
		if !strings.Contains(info, "state=online") {
			return fmt.Errorf("a master without replica")
		}
		return nil
	}
	if link := field(info, "master_link_status"); link != "up" {
		return fmt.Errorf("a replica whose link is %q", link)
	}
	return nil
}

// field returns the value of NAME:VALUE, of which Redis writes a line each.
func field(info, name string) string {
	for line := range strings.Lines(info) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(line), name+":"); ok {
			return value
		}
	}
	return ""
}
