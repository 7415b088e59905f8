/** What became of offers, as the store has it: also while nothing here moves files. */
import type { Engine, ShownMessage } from "../engine/engine.ts"
import { type ShareRow, shareKeys } from "./share-rows.ts"
import type { InRow, OutRow, TransferState } from "./transfer.ts"

type Kept = Pick<Engine, "shelf" | "device">

/** By what a fetch is called: the message that offers it. */
export function transferIdOf({ id }: ShownMessage): string {
  return id.slice("sha256:".length)
}

/** Whether the message that offers it was taken back: also while nothing here moved files. */
export async function isTakenBack(
  engine: Pick<Engine, "message">,
  { conversation, message, passedOn }: Pick<OutRow, "conversation" | "message" | "passedOn">,
): Promise<boolean> {
  const id = passedOn === undefined ? message : `sha256:${passedOn.id}`
  return id !== undefined && (await engine.message(conversation, id))?.type === "deleted"
}

/** What was decided about an offer here; undefined: nothing yet. */
export async function offerState({ shelf, device }: Kept, message: ShownMessage): Promise<TransferState | undefined> {
  const { fileOffer, sender } = message
  if (fileOffer === undefined) return undefined
  if (!sender.isSelf) return (await shelf.get<InRow>(`in/${transferIdOf(message)}`))?.state
  if (sender.device !== device) return (await shelf.get<InRow>(`in/${transferIdOf(message)}`))?.state
  const row = await shelf.get<OutRow>(`out/${fileOffer.transfer}`)
  return row === undefined ? undefined : row.isOver ? "done" : "waiting"
}

/** Says no to an offer. Nothing of it is fetched, and who made it hears so. */
export async function declineOffer(engine: Kept & Pick<Engine, "tellFileState">, message: ShownMessage): Promise<void> {
  const { fileOffer, conversation, sender } = message
  if (fileOffer === undefined) return
  const { transfer, name, size, hash, files = 1 } = fileOffer
  const id = transferIdOf(message)
  const said = { id, conversation, transfer, sender: sender.chain, name, size, files, hash, into: "" }
  await engine.shelf.put(`in/${id}`, { ...said, state: "declined" } satisfies InRow)
  await engine.tellFileState(conversation, transfer, "declined")
}

/** Whether an earlier run left something that can be gone on with, or something is shared, to be given. */
export async function hasOpenTransfers({ shelf }: Pick<Engine, "shelf">): Promise<boolean> {
  if ((await shelf.list<OutRow>("out/")).some(({ isOver }) => !isOver)) return true
  if ((await shelf.list<ShareRow>(shareKeys.shares)).length > 0) return true
  return (await shelf.list<InRow>("in/")).some(({ state }) => state === "waiting" || state === "paused")
}
