/** A service without a disk, and what it answers, in short. */
import assert from "node:assert/strict"
import type { ChainReplay, Code } from "@kez/core"
import { now } from "../../../../packages/core/test/support/chains.ts"
import type { Appended, ChainService } from "../../src/chain-service.ts"
import { createChainService } from "../../src/chains/service.ts"
import { createMemoryStorage } from "./memory-storage.ts"

export function start(): ChainService {
  return createChainService({ storage: createMemoryStorage(), now: () => now })
}

/** Why an event was not taken; undefined when it was. */
export function codeOf(appended: Appended): Code | undefined {
  return "refusal" in appended ? appended.refusal.code : undefined
}

export async function replayOf(service: ChainService, id: string): Promise<ChainReplay> {
  const found = await service.find(id)
  return found.status === "found" ? found.view.replay : assert.fail(found.status)
}
