// Pins the Gateway API, whose module has the definitions of its kinds.
module mcphub.test/gatewayapi

go 1.26.0

require sigs.k8s.io/gateway-api v1.5.0
