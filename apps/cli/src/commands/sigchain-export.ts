/** `kez sigchain export`: one branch as a document, byte-identical between implementations. SPEC §5.9 */
import { branchOf, type ChainReplay, encodeChain, envelopeDigest, formatChain } from "@kez/core"
import { pickDigest, withChain } from "../find-chain.ts"
import { losingEvents } from "../own-chain.ts"
import { deliver } from "../own-claims.ts"
import type { Handler } from "../run.ts"
import type { Store } from "../store/database.ts"

export interface ExportOptions {
  readonly format?: string
  readonly out?: string
  readonly force?: boolean
  /** Digest of any event of the branch to export. */
  readonly branch?: string
}

export const run: Handler<ExportOptions> = async (context, { args: [id], format = "jsonl", branch, ...options }) =>
  withChain(context, id, (store, chain) => {
    const { path } = branch === undefined ? chain : branchAt(store, chain, branch)
    const text = format === "compact" ? encodeChain(path) : formatChain(path)
    const isCut = branch === undefined && chain.status === "fork"
    return {
      schema: "kez.export/1",
      data: { chain: chain.chain, events: path.length, format, text, file: options.out ?? null },
      text: deliver(context, text, options),
      ...(isCut
        ? { warnings: ["the chain is an undecided fork: only the part before it was written (--branch DIGEST)"] }
        : {}),
      next: "put it where readers look, such as https://YOUR-DOMAIN/.well-known/kez-sigchain.jsonl",
    }
  })

function branchAt(store: Store, chain: ChainReplay, typed: string): ChainReplay {
  return branchOf(chain, pickDigest(typed, [...chain.digests, ...losingEvents(store, chain).map(envelopeDigest)]))
}
