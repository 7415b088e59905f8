/**
 * What others say about where they are, as far as kez-iroh can read it. It refuses a request with anything else in it, and one member who
 * names a place that is none would keep everybody else of a conversation from theirs.
 */
import { isIPv4, isIPv6 } from "node:net"
import type { MoverAddress } from "./mover.ts"

/** Nobody can connect as one of those that are left out. */
export function readablePeers(peers: readonly string[]): readonly string[] {
  return peers.filter(isEndpoint)
}

/** `relays`: our own. Another is asked with HTTPS alone: nobody else's word leads to what listens on this computer, or shows us to the way. */
export function readableProviders(
  providers: readonly MoverAddress[],
  relays: readonly string[],
): readonly MoverAddress[] {
  const own = relays.map(hrefOf)
  return providers
    .filter(({ endpoint }) => isEndpoint(endpoint))
    .map(({ endpoint, addresses, relay }) => {
      const href = hrefOf(relay ?? "")
      const isUsed = href !== undefined && (own.includes(href) || href.startsWith("https:"))
      return { endpoint, addresses: addresses.filter(isSocketAddress), ...(isUsed ? { relay: href } : {}) }
    })
}

function hrefOf(text: string): string | undefined {
  return URL.canParse(text) ? new URL(text).href : undefined
}

function isSocketAddress(text: string): boolean {
  const [, host = "", port = ""] = /^(.+):([0-9]{1,5})$/.exec(text) ?? []
  const address = /^\[(.+)\]$/.exec(host)?.[1]
  return (address === undefined ? isIPv4(host) : isIPv6(address) && !address.includes("%")) && Number(port) <= 65_535
}

const p = 2n ** 255n - 19n
/** Of the curve, RFC 8032 §5.1. */
const d = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/** Lists of the same endpoints are told again and again. */
const maxKnown = 4_096
const known = new Map<string, boolean>()

/** Whether 64 hex are a point of Ed25519, in its one encoding. RFC 8032 §5.1.3: about half of all texts are none. */
export function isEndpoint(hex: string): boolean {
  const before = known.get(hex)
  if (before !== undefined) return before
  const isPoint = /^[0-9a-f]{64}$/.test(hex) && isPointOf(littleEndian(hex))
  if (known.size >= maxKnown) known.clear()
  known.set(hex, isPoint)
  return isPoint
}

function littleEndian(hex: string): bigint {
  return BigInt(`0x${hex.match(/../g)?.toReversed().join("")}`)
}

function isPointOf(number: bigint): boolean {
  const y = number & (2n ** 255n - 1n)
  if (y >= p) return false
  const [u, v] = [mod(y * y - 1n), mod(d * y * y + 1n)]
  // Zero has no negative.
  if (u === 0n) return number === y
  // x² = u/v has a root if u·v has one, for v² always has.
  return power(mod(u * v), (p - 1n) / 2n) === 1n
}

function mod(value: bigint): bigint {
  const rest = value % p
  return rest < 0n ? rest + p : rest
}

/** Of what is public: it need not take equal time. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let square = base, left = exponent; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % p
    square = (square * square) % p
  }
  return result
}
