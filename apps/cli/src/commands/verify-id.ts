/** `kez verify id`: an account, by the proof that its own place shows now. SPEC §6, §7 */
import type { Evidence as PlaceEvidence, Publication as PlacePublication } from "@kez/channels"
import { type Evidence, formatIdentity, KezError, parseIdentity } from "@kez/core"
import type { Look } from "../consult.ts"
import type { Handler } from "../run.ts"
import { type VerifyOptions, verify } from "./verify-options.ts"

export const run: Handler<VerifyOptions> = async (context, { args: [typed = ""], ...options }) => {
  const { system, value } = parseIdentity(typed)
  const { findChannel } = await import("@kez/channels")
  const channel = findChannel(system)
  const subject = formatIdentity({ system, value })
  if (channel === undefined) {
    throw new KezError("channel.unsupported", `Cannot verify ${subject}: this version looks at dns: accounts only`, {
      hint: "Save the proof that you see there to a file, then: kez verify file FILE",
    })
  }
  return verify(context, options, {
    subject,
    async look(net, timeoutMs) {
      const publication = await channel.collect(value, await net(), { signal: AbortSignal.timeout(timeoutMs) })
      return lookOf(publication)
    },
  })
}

/** What a channel saw, in the words of the verifier. */
function lookOf(publication: PlacePublication): Look {
  const evidence = publication.evidence.map(placeEvidence)
  switch (publication.status) {
    case "found": {
      const { candidates, accountId, chainHints } = publication
      const account = accountId === undefined ? {} : { accountId }
      return { publication: { status: "found", candidates, ...account, evidence }, hints: chainHints }
    }
    case "absent":
      return { publication: { status: "absent", evidence }, hints: [] }
    case "invalid":
      return { publication: { status: "refused", code: publication.code, evidence }, hints: [] }
    case "unreachable": {
      const { code, retryAfterSeconds } = publication
      const retry = retryAfterSeconds === undefined ? {} : { retryAfterSeconds }
      return { publication: { status: "unreachable", code, ...retry, evidence }, hints: [] }
    }
  }
}

function placeEvidence({ url, fetchedAt, status, sha256, note, code }: PlaceEvidence): Evidence {
  return {
    kind: "place",
    source: url,
    fetchedAt,
    ...(status === undefined ? {} : { httpStatus: status }),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(note === undefined ? {} : { note }),
    ...(code === undefined ? {} : { code }),
  }
}
