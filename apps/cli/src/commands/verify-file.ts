/** `kez verify file`: the claim in a text, without a look at the account's own place. SPEC §6 */
import { decodeText, KezError, limits, type Publication } from "@kez/core"
import { consult } from "../consult.ts"
import { documentName, readDocument } from "../documents.ts"
import type { Handler } from "../run.ts"
import { readDemands, refreshIfOwn, type VerifyOptions, verdictOutcome } from "./verify-options.ts"

export const run: Handler<VerifyOptions> = async (context, { args: [path = "-"], ...options }) => {
  const publication = textOf(documentName(path), await readDocument(path, limits.maxTextBytes))
  const { primary, acceptNewAccount: _, net, ...demands } = await readDemands(context, options)
  const answer = await consult(context, {
    ...demands,
    ...(primary === undefined ? {} : { primary }),
    net: options.offline === true ? undefined : net,
    look: async () => ({ publication, hints: [] }),
  })
  if (options.offline !== true) await refreshIfOwn(context, [answer], { stores: demands.stores, net })
  return verdictOutcome(context, answer)
}

/** A text that cannot be read is an invalid proof, and so a verdict like any other. */
function textOf(name: string, bytes: Uint8Array): Publication {
  try {
    const text = decodeText(bytes, limits.maxTextBytes)
    return { status: "unchecked", candidates: [{ text, foundAt: name }] }
  } catch (error) {
    if (!(error instanceof KezError)) throw error
    const { code, message: note } = error
    return { status: "refused", code, evidence: [{ kind: "candidate", source: name, code, note }] }
  }
}
