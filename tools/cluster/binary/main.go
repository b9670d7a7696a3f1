// One binary for every part of a Kubernetes node, chosen by the name it is called by.
//
// Linking the parts together once costs one build of minutes and 150 MB instead of
// nine downloads from registries that a test machine may not reach.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/health"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectlcmd "k8s.io/kubectl/pkg/cmd"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	kubeproxy "k8s.io/kubernetes/cmd/kube-proxy/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
	metricsserver "sigs.k8s.io/metrics-server/cmd/metrics-server/app"
)

// Only what a cluster's DNS needs: names in the cluster, answered or refused at once.
func runCoreDNS() {
	dnsserver.Directives = []string{"errors", "health", "ready", "cache", "kubernetes"}
	coremain.Run()
}

func runCommand(build func() *cobra.Command) func() {
	return func() { os.Exit(cli.Run(build())) }
}

func parts() map[string]func() {
	return map[string]func(){
		"coredns":                 runCoreDNS,
		"etcd":                    func() { etcdmain.Main(os.Args) },
		"kube-apiserver":          runCommand(func() *cobra.Command { return apiserver.NewAPIServerCommand() }),
		"kube-controller-manager": runCommand(func() *cobra.Command { return controllermanager.NewControllerManagerCommand() }),
		"kube-proxy":              runCommand(func() *cobra.Command { return kubeproxy.NewProxyCommand() }),
		"kube-scheduler":          runCommand(func() *cobra.Command { return scheduler.NewSchedulerCommand() }),
		"kubectl": func() {
			if err := cli.RunNoErrOutput(kubectlcmd.NewDefaultKubectlCommand()); err != nil {
				os.Exit(1)
			}
		},
		"kubelet":        runCommand(func() *cobra.Command { return kubelet.NewKubeletCommand(context.Background()) }),
		"metrics-server": runCommand(func() *cobra.Command { return metricsserver.NewMetricsServerCommand(make(chan struct{})) }),
	}
}

func main() {
	known := parts()
	name := filepath.Base(os.Args[0])
	if run, ok := known[name]; ok {
		run()
		return
	}
	names := make([]string, 0, len(known))
	for name := range known {
		names = append(names, name)
	}
	sort.Strings(names)
	fmt.Fprintf(os.Stderr, "%q is no part of Kubernetes: call me by a link named %s\n", name, strings.Join(names, ", "))
	os.Exit(2)
}
