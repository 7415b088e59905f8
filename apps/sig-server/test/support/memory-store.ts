/** The store without a disk, whose writes a test can make fail. */
import type { KezError } from "@kez/core"
import type { ChainService } from "../../src/chain-service.ts"
import { createChainService } from "../../src/chains/service.ts"
import type { Storage } from "../../src/storage/storage.ts"
import { createMemoryStorage } from "./memory-storage.ts"

export interface MemoryStore {
  readonly service: ChainService
  readonly storage: Storage
  /** Every write fails with it, until it is undefined again. */
  fault: KezError | undefined
}

/** `now` in Unix seconds. */
export function createMemoryStore(now: () => number): MemoryStore {
  const storage = createMemoryStorage()
  const { append, assertWritable } = storage
  const service = createChainService({ storage, now })
  const store: MemoryStore = { service, storage, fault: undefined }
  storage.append = async (event, expectedSize) => {
    if (store.fault !== undefined) throw store.fault
    return append.call(storage, event, expectedSize)
  }
  storage.assertWritable = async () => {
    if (store.fault !== undefined) throw store.fault
    return assertWritable.call(storage)
  }
  return store
}
