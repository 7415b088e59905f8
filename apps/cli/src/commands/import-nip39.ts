/** `kez import nip39`: the accounts that a nostr key names in its profile. NIP-39; SPEC §7.4 */
import { formatIdentity, KezError, parseIdentity } from "@kez/core"
import type { Handler } from "../run.ts"
import { isIdentity, suggestionsOutcome } from "../suggestions.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export const run: Handler<Pick<VerifyOptions, "timeout" | "resolver">> = async (context, { args, ...options }) => {
  const [typed = ""] = args
  const { system, value } = parseIdentity(typed.startsWith("npub1") ? `nostr:${typed}` : typed)
  if (system !== "nostr") throw new KezError("usage", `Cannot import from ${system}: expected nostr:npub1…`)
  const demands = await readDemands(context, options)
  const { importNip39 } = await import("@kez/channels")
  const signal = AbortSignal.timeout(demands.timeoutMs)
  const { suggestions, evidence, isComplete } = await importNip39(value, await demands.net(), signal)
  if (suggestions.length === 0 && !isComplete) throw silent(evidence.map(({ url }) => url))
  return suggestionsOutcome({
    source: formatIdentity({ system, value }),
    accounts: suggestions.map(({ subject, proof, proofUrl, isSupported }) => ({
      subject,
      isSupported: isSupported && isIdentity(subject),
      about: `their own proof: ${proofUrl ?? (proof === "" ? "none" : proof)}`,
    })),
    warnings: isComplete ? [] : ["no relay answered to the end: there may be more"],
  })
}

function silent(relays: readonly string[]): KezError {
  return new KezError("net.timeout", `Cannot read the profile: none of ${relays.length} relays answered`, {
    hint: 'Try again, or name others: KEZ_RELAYS=wss://…, or relays = ["wss://…"] in config.toml',
  })
}
