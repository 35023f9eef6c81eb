package main

import (
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/mattfenwick/cyclonus/pkg/matcher"
	core "k8s.io/api/core/v1"
)

type peer struct {
	name string
	matcher.TrafficPeer
}

type flow struct {
	verdict, portText, why string
	from, to               peer
	port                   int
	protocol               core.Protocol
}

func (f flow) judge(policies *matcher.Policy) string {
	traffic := &matcher.Traffic{Source: &f.from.TrafficPeer, Destination: &f.to.TrafficPeer, ResolvedPort: f.port, Protocol: f.protocol}
	if policies.IsTrafficAllowed(traffic).IsAllowed() {
		return "allow"
	}
	return "deny"
}

// readFlows reads the table. Its columns are separated by tabs:
//
//	peer    NAME      NAMESPACE LABEL=VALUE,... ADDRESS   somebody who is no pod of a store; `-` for none, `ingress` for the given namespace
//	allow   FROM      TO        PORT            WHY       a connection that must come about
//	deny    FROM      TO        PORT            WHY       one that must not
//	only    FACT                                          the lines below count where it is one; `only *` ends that
//
// FROM and TO are peers or pods of a store: `a/web` is the pod `web` in the namespace that ends with `a`. So is a peer's NAMESPACE of one letter. PORT is a number, `/udp` behind it or
// not, or the name that a container gives it.
func readFlows(path string, facts []string, ingress string, known *cluster) []flow {
	text, err := os.ReadFile(path)
	if err != nil {
		fail("%v", err)
	}
	peers, flows, skip := map[string]peer{}, []flow{}, false
	for number, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		field := strings.Split(line, "\t")
		switch {
		case field[0] == "only" && len(field) == 2:
			skip = field[1] != "*" && !slices.Contains(facts, field[1])
		case skip:
		case field[0] == "peer" && len(field) == 5:
			peers[field[1]] = outsider(field, ingress, known)
		case (field[0] == "allow" || field[0] == "deny") && len(field) == 5:
			port, protocol := portOf(field[3], known)
			flows = append(flows, flow{field[0], field[3], field[4], find(field[1], peers, known), find(field[2], peers, known), port, protocol})
		default:
			fail("%s:%d cannot be understood: %q", path, number+1, line)
		}
	}
	return flows
}

func outsider(field []string, ingress string, known *cluster) peer {
	namespace := field[2]
	found := peer{name: field[1], TrafficPeer: matcher.TrafficPeer{IP: field[4]}}
	if namespace == "-" {
		return found
	}
	if namespace == "ingress" {
		namespace = ingress
	} else if len(namespace) == 1 {
		namespace = known.store(namespace)
	}
	labels := map[string]string{}
	for _, pair := range strings.Split(field[3], ",") {
		if key, value, both := strings.Cut(pair, "="); both {
			labels[key] = value
		}
	}
	found.Internal = internal(namespace, labels)
	return found
}

func find(name string, peers map[string]peer, known *cluster) peer {
	if found, is := peers[name]; is {
		return found
	}
	store, component, _ := strings.Cut(name, "/")
	namespace := known.store(store)
	pod, is := known.pods[namespace+"/"+component]
	if !is {
		fail("nobody is called %q: no peer, and no pod of a store", name)
	}
	return peer{name, matcher.TrafficPeer{IP: "10.244.1." + strconv.Itoa(10+len(name)), Internal: internal(namespace, pod.Labels)}}
}

func internal(namespace string, labels map[string]string) *matcher.InternalPeer {
	return &matcher.InternalPeer{
		Namespace:       namespace,
		NamespaceLabels: map[string]string{"kubernetes.io/metadata.name": namespace},
		PodLabels:       labels,
	}
}

func portOf(text string, known *cluster) (int, core.Protocol) {
	number, udp := strings.CutSuffix(text, "/udp")
	protocol := core.ProtocolTCP
	if udp {
		protocol = core.ProtocolUDP
	}
	if port, is := known.ports[number]; is {
		return port, protocol
	}
	port, err := strconv.Atoi(number)
	if err != nil {
		fail("there is no port %q", text)
	}
	return port, protocol
}
