/** Lines for the zones of an identity's domains that say where its chain lies. SPEC §4.4, §4.5 */
import { type ChainReplay, KezError, limits } from "@kez/core"
import { wellKnownOf } from "../proof-keys.ts"
import { chainUrl } from "./store-url.ts"

/** One line for each active domain of the chain. Throws `usage` where there is none, or for a URL that is no hint. */
export function zoneLines(
  { state, chain }: ChainReplay,
  { url, stores }: { readonly url: string | undefined; readonly stores: readonly string[] },
): readonly string[] {
  const domains = [...state.subjects.values()].flatMap(({ subject, status }) =>
    status === "active" && subject.startsWith("dns:") ? [subject.slice("dns:".length)] : [],
  )
  if (domains.length === 0) {
    throw new KezError("usage", "Cannot write lines for a zone: your chain lists no domain", {
      hint: "kez claim publish dns:example.org",
    })
  }
  const store = stores.find((one) => one.startsWith("https://"))
  return domains.map((domain) => {
    const place = url ?? (store === undefined ? wellKnownOf(domain) : chainUrl(store, chain))
    return `_kez.${domain}. 3600 IN TXT "Chain: ${assertHint(place)}"`
  })
}

/** A character-string of a TXT record holds 255 bytes. RFC 1035 §3.3 */
const maxUrlBytes = Math.min(limits.maxHintBytes, 255 - "Chain: ".length)

function assertHint(url: string | undefined): string {
  if (url !== undefined && /^https:\/\/[!-~]+$/.test(url) && !url.includes('"') && url.length <= maxUrlBytes) return url
  throw new KezError("usage", "Cannot write lines for a zone: expected --url, an https:// URL where your chain lies")
}
