// Pins cert-manager and MetalLB, whose modules have the definitions of their kinds.
module mcphub.test/foreignkinds

go 1.26.0

require (
	github.com/cert-manager/cert-manager v1.21.2
	go.universe.tf/metallb v0.16.2
)
