package main

import (
	"encoding/json"
	"slices"
	"strings"

	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
)

type list struct {
	Items []json.RawMessage `json:"items"`
}

// object is as much of a workload as says what its pods are.
type object struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Namespace string `json:"namespace"`
	} `json:"metadata"`
	Spec struct {
		Template    core.PodTemplateSpec `json:"template"`
		JobTemplate struct {
			Spec struct {
				Template core.PodTemplateSpec `json:"template"`
			} `json:"spec"`
		} `json:"jobTemplate"`
	} `json:"spec"`
}

// cluster is what the apiserver has of the stores: policies, and the pods that their workloads make.
type cluster struct {
	policies []*networking.NetworkPolicy
	pods     map[string]core.PodTemplateSpec // by NAMESPACE/COMPONENT
	ports    map[string]int                  // by the name that a container gives it
}

func clusterOf(objects list) *cluster {
	known := &cluster{pods: map[string]core.PodTemplateSpec{}, ports: map[string]int{}}
	for _, raw := range objects.Items {
		var item object
		if err := json.Unmarshal(raw, &item); err != nil {
			fail("an object cannot be read: %v", err)
		}
		if item.Kind == "NetworkPolicy" {
			policy := &networking.NetworkPolicy{}
			if err := json.Unmarshal(raw, policy); err != nil {
				fail("a network policy cannot be read: %v", err)
			}
			known.policies = append(known.policies, policy)
			continue
		}
		pod := item.Spec.Template
		if item.Kind == "CronJob" {
			pod = item.Spec.JobTemplate.Spec.Template
		}
		known.pods[item.Metadata.Namespace+"/"+pod.Labels["app.kubernetes.io/component"]] = pod
		for _, container := range pod.Spec.Containers {
			for _, port := range container.Ports {
				known.ports[port.Name] = int(port.ContainerPort)
			}
		}
	}
	return known
}

// store finds the namespace that ends with these letters.
func (c *cluster) store(letters string) string {
	for name := range c.pods {
		if namespace, _, _ := strings.Cut(name, "/"); strings.HasSuffix(namespace, letters) {
			return namespace
		}
	}
	fail("no store's namespace ends with %q", letters)
	return ""
}

func (c *cluster) names() []string {
	var names []string
	for _, policy := range c.policies {
		if !slices.Contains(names, policy.Name) {
			names = append(names, policy.Name)
		}
	}
	slices.Sort(names)
	return names
}
