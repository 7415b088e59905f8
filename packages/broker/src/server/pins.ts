/** The nats-server that is fetched where none is: exactly this one. docs/decisions/broker.md says how the sums were had. */

export const pinnedVersion = "2.15.1"

/** The module and the Go that its go.mod asks for. A Go from 1.21 on can fetch that one by itself. */
export const goModule = "github.com/nats-io/nats-server/v2"
export const minimumGo = [1, 21] as const

/**
 * What the program must be made of: module, version and sum of its content (`h1:` of go.sum), as Go writes them into the program.
 * Go's checksum database vouched for each when they were written down here.
 */
export const goModules: readonly string[] = [
  "mod github.com/nats-io/nats-server/v2 v2.15.1 h1:fK3AeYFIji1Smng60jB0hVoAPZezA/UzsaI3BqXFNEI=",
  "dep github.com/antithesishq/antithesis-sdk-go v0.8.0-default-no-op h1:1BOWQJweNyvZMlpAHXGLiZQn9S+QXGcz3xh94lC0w6E=",
  "dep github.com/klauspost/compress v1.20.1 h1:T7kKElXUMXrUJ2E9QhQhxFtcK5rPyLdsGZvdbLMPdiQ=",
  "dep github.com/minio/highwayhash v1.0.4 h1:asJizugGgchQod2ja9NJlGOWq4s7KsAWr5XUc9Clgl4=",
  "dep github.com/nats-io/jwt/v2 v2.8.2 h1:XXRgB60MSTnqsRwejQurVDs/hcv2dkt+86GjI+I/bMc=",
  "dep github.com/nats-io/nkeys v0.4.16 h1:rd5oAuLOb8mnAycB0xleuEBNS1pVVnN0fv/FF34Eypg=",
  "dep github.com/nats-io/nuid v1.0.1 h1:5iA8DT8V7q8WK2EScv2padNa/rTESc1KdnPw4TC2paw=",
  "dep golang.org/x/crypto v0.57.0 h1:3ZVCjf8Ggz7zneR/EHRVx68Ctf+2pmIMP2UFhh9cC6M=",
  "dep golang.org/x/sys v0.48.0 h1:bbX/i/6MgT9BVLM9RT1thmxL04yeTAhbEz4SyadbXoo=",
  "dep golang.org/x/time v0.16.0 h1:vMb6ptszcQMkcwiRTAuNNU50gom6++Q/6gY2hDM6VDE=",
]

export const releaseUrl = `https://github.com/nats-io/nats-server/releases/download/v${pinnedVersion}`

/** SHA-256 of `nats-server-v<version>-<platform>.tar.gz`, by the names that the project gives its platforms. */
export const archiveSums: Readonly<Record<string, string>> = {
  "linux-amd64": "bf5edc7b1ce98e885c368cb43a886eb148dc5d0551d99f3cf6141fb5e1954c70",
  "linux-arm64": "e2fbab4cad7d3c76e3052eb959570393c9d73ba756b70bf8e9eea61e9ae6d49c",
}
