/** What the engine does for the files part: keeps its rows, signs what this device shares, and knows chains. */
import { type ChainReplay, type Digest, type FileManifest, formatTime, KezError, signEnvelope } from "@kez/core"
import { deviceSigner } from "../credential/device-keys.ts"
import type { Desk } from "./desk.ts"
import type { OwnManifest, Shelf } from "./engine.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

export function createShelf(desk: Desk): Shelf {
  return {
    get: <T>(name: string) => desk.turn((unit) => unit.get<T>(keys.shelf(name))),
    list: <T>(prefix: string) => desk.turn((unit) => unit.list<T>(keys.shelf(prefix))),
    put: (name, value) => desk.turn(async (unit) => unit.put(keys.shelf(name), copyOf(value))),
    replace: (prefix, rows) =>
      desk.turn(async (unit) => {
        for (const { key } of await unit.rows(keys.shelf(prefix))) unit.delete(key)
        for (const [name, value] of rows) unit.put(keys.shelf(`${prefix}${name}`), copyOf(value))
      }),
  }
}

/** Of each conversation by itself: the name of a transfer is chosen by who offers it, anywhere. */
export function fileStateName(at: {
  readonly transfer: string
  readonly conversation: Digest
  readonly device: string
}) {
  return `state/${at.transfer}/${at.conversation.slice("sha256:".length)}/${at.device}`
}

/** Whose offer a name is in a conversation: who used it first. */
export interface OfferOwner {
  readonly chain: Digest
}

export function offerOwnerName(conversation: Digest, transfer: string): string {
  return `offer/${conversation.slice("sha256:".length)}/${transfer}`
}

/** As an offer comes, or is made here. */
export async function noteOffer(unit: Unit, thread: Digest, { chain, transfer }: OfferOwner & { transfer: string }) {
  const key = keys.shelf(offerOwnerName(thread, transfer))
  if ((await unit.get<OfferOwner>(key)) === undefined) unit.put(key, { chain } satisfies OfferOwner)
}

/** As it is read after a start: whoever gave it may change his own. */
function copyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

/** SPEC §2.4 */
export function signManifest(desk: Desk, { seq, prev, root, size }: OwnManifest): Promise<FileManifest> {
  const payload = {
    ...({ type: "kez.files.manifest", version: 1 } as const),
    ...{ chain: desk.chain, seq, ...(prev === undefined ? {} : { prev }), root, size },
    created_at: formatTime(desk.now()),
  }
  return signEnvelope("file_manifest", payload, deviceSigner(desk.ports.account.keys))
}

export async function chainOf(desk: Desk, chain: Digest, isFresh: boolean): Promise<ChainReplay | undefined> {
  const { chains } = desk.ports
  if (!isFresh) return chains.known(chain)
  try {
    return await chains.fetch(chain)
  } catch (error) {
    if (error instanceof KezError) return chains.known(chain)
    throw error
  }
}
