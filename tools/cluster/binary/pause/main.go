// Holds things open: the namespaces of a pod or a node, whose first process it is and
// whose orphans it buries, and ports of the host.
//
// Called as a node's first process it carries the cluster's and node's names as
// arguments, so that whoever cleans up finds it by its command line alone.
package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if pid <= 0 || err != nil {
			return
		}
	}
}

// hold takes loopback or host ports that the firewall leads elsewhere, so that other
// programs see them taken. Bound without listening: nothing ever arrives here.
func hold(port string) error {
	protocol, address, _ := strings.Cut(port, ":")
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	kind := map[string]int{"tcp": syscall.SOCK_STREAM, "udp": syscall.SOCK_DGRAM}[protocol]
	socket, err := syscall.Socket(syscall.AF_INET, kind|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	return syscall.Bind(socket, &syscall.SockaddrInet4{Port: int(target.Port()), Addr: target.Addr().As4()})
}

// Called as `pause CLUSTER NODE`, or as `pause CLUSTER ports tcp:127.0.0.1:80 …`.
func main() {
	if len(os.Args) > 3 && os.Args[2] == "ports" {
		for _, port := range os.Args[3:] {
			if err := hold(port); err != nil {
				fmt.Fprintf(os.Stderr, "%s: %s\n", port, err)
				os.Exit(1)
			}
		}
	}
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for received := range signals {
		if received != syscall.SIGCHLD {
			os.Exit(0)
		}
		reap()
	}
}
