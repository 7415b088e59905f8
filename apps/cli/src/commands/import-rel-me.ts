/** `kez import rel-me`: the accounts that a web page calls its owner's, by `rel="me"` links. */
import { KezError } from "@kez/core"
import type { Handler } from "../run.ts"
import { type SuggestedAccount, suggestionsOutcome } from "../suggestions.ts"
import { readDemands, type VerifyOptions } from "./verify-options.ts"

export const run: Handler<Pick<VerifyOptions, "timeout" | "resolver">> = async (context, { args, ...options }) => {
  const [typed = ""] = args
  const url = typed.includes("://") ? typed : `https://${typed}`
  if (!url.startsWith("https://")) throw new KezError("usage", "Cannot import from there: expected an https:// URL")
  const demands = await readDemands(context, options)
  const { findRelMe } = await import("@kez/channels")
  const signal = AbortSignal.timeout(2 * demands.timeoutMs)
  const page = await findRelMe(url, await demands.net(), { signal, askBack: true })
  return suggestionsOutcome({
    source: page.url,
    accounts: page.suggestions.map(({ url: link, subject, mutual }): SuggestedAccount => {
      const back =
        mutual === undefined ? "whether it links back is not known" : mutual ? "links back" : "does not link back"
      return { subject: subject ?? link, isSupported: subject !== undefined, about: `${link}, ${back}` }
    }),
    warnings: [],
  })
}
