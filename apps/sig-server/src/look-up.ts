/** From the name in a URL to the chain. SPEC STORE-2, STORE-3 */
import { Problem } from "@kez/server"
import { parseChainName } from "./chain-name.ts"
import type { ChainService, ChainView, LookUp } from "./chain-service.ts"

/** Throws 400 for what is no name, 404 `chain.unknown`, 409 `chain.fork` for a primary with several chains. */
export async function findChain(service: ChainService, name: string): Promise<ChainView> {
  return viewOf(await service.find(parseChainName(name)))
}

export function viewOf(found: LookUp): ChainView {
  if (found.status === "found") return found.view
  if (found.status === "several") throw severalChains(found.chains)
  throw new Problem({ status: 404, code: "chain.unknown", detail: "Cannot find the chain: none is known by this name" })
}

export function severalChains(chains: readonly string[]): Problem {
  return new Problem({
    status: 409,
    code: "chain.fork",
    detail: "Cannot tell which chain is meant: this primary has several; ask for one by its chain id",
    members: { chains },
  })
}
