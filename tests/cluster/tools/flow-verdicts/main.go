// Judges a written table of connections against network policies, with the matcher of cyclonus: what a cluster that enforces policies
// would let through, without such a cluster.
//
//	flow-verdicts FLOWS.tsv FACT,... INGRESS_NAMESPACE < OBJECTS.json
//
// FACTS are words that parts of the table are about, as `medusa,local`. OBJECTS is a List of the stores' NetworkPolicies and workloads as the apiserver has them: the pods' labels and ports come from there, not
// from the table. Exit code 1: a verdict is another than the table's, or a policy can be taken away and the table does not notice.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	networking "k8s.io/api/networking/v1"
)

func main() {
	if len(os.Args) != 4 {
		fail("usage: flow-verdicts FLOWS.tsv FACT,... INGRESS_NAMESPACE < OBJECTS.json")
	}
	var objects list
	if err := json.NewDecoder(os.Stdin).Decode(&objects); err != nil {
		fail("the objects cannot be read: %v", err)
	}
	cluster := clusterOf(objects)
	flows := readFlows(os.Args[1], strings.Split(os.Args[2], ","), os.Args[3], cluster)

	wrong := 0
	all := matcher.BuildNetworkPolicies(true, cluster.policies)
	for _, flow := range flows {
		verdict := flow.judge(all)
		mark := ""
		if verdict != flow.verdict {
			wrong++
			mark = "   <- the table says " + flow.verdict
		}
		fmt.Printf("%-5s  %-12s -> %-12s %-9s %s%s\n", verdict, flow.from.name, flow.to.name, flow.portText, flow.why, mark)
	}
	unneeded := cluster.unneeded(flows)
	for _, name := range unneeded {
		fmt.Printf("without the policy %q no verdict of the table is another\n", name)
	}
	fmt.Printf("%d verdicts, %d wrong; %d kinds of policy, %d of them without effect\n", len(flows), wrong, len(cluster.names()), len(unneeded))
	if wrong+len(unneeded) > 0 || len(flows) == 0 {
		os.Exit(1)
	}
}

// unneeded names the policies whose absence, in every store, the table would not notice: either they do nothing or the table has a hole.
func (c *cluster) unneeded(flows []flow) []string {
	var found []string
	for _, name := range c.names() {
		var rest []*networking.NetworkPolicy
		for _, policy := range c.policies {
			if policy.Name != name {
				rest = append(rest, policy)
			}
		}
		without := matcher.BuildNetworkPolicies(true, rest)
		noticed := false
		for _, flow := range flows {
			noticed = noticed || flow.judge(without) != flow.verdict
		}
		if !noticed {
			found = append(found, name)
		}
	}
	return found
}

func fail(format string, values ...any) {
	fmt.Fprintf(os.Stderr, "flow-verdicts: "+format+"\n", values...)
	os.Exit(2)
}
