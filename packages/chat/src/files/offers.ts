/** What became of offers, as the store has it: also while nothing here moves files. */
import type { Engine, ShownMessage } from "../engine/engine.ts"
import { type OfferOwner, offerOwnerName } from "../engine/files-part.ts"
import { type ShareRow, shareKeys } from "./share-rows.ts"
import type { InRow, OutRow, StateRow, TransferState } from "./transfer.ts"

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

/** Whether a transfer's name is his in that conversation. What is said of it is said of the first offer that has it. */
export async function isNameOf(
  { shelf }: Kept,
  { conversation, transfer, sender }: Pick<InRow, "conversation" | "transfer" | "sender">,
): Promise<boolean> {
  const owner = await shelf.get<OfferOwner>(offerOwnerName(conversation, transfer))
  return owner === undefined || owner.chain === sender
}

/** Tells what became of an offer, unless it has the name of somebody else's. */
export async function tellState(
  engine: Kept & Pick<Engine, "tellFileState">,
  row: Pick<InRow, "conversation" | "transfer" | "sender">,
  state: StateRow["state"],
): Promise<void> {
  if (await isNameOf(engine, row)) await engine.tellFileState(row.conversation, row.transfer, state)
}

/** What devices said of an offer. */
export async function statesOf(
  { shelf }: Pick<Engine, "shelf">,
  { conversation, transfer }: Pick<InRow, "conversation" | "transfer">,
): Promise<readonly StateRow[]> {
  const said = await shelf.list<StateRow>(`state/${transfer}/`)
  return said.filter((one) => one.conversation === conversation)
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
  await tellState(engine, said, "declined")
}

/** Whether an earlier run left something that can be gone on with, or something is shared, to be given. */
export async function hasOpenTransfers({ shelf }: Pick<Engine, "shelf">): Promise<boolean> {
  if ((await shelf.list<OutRow>("out/")).some(({ isOver }) => !isOver)) return true
  if ((await shelf.list<ShareRow>(shareKeys.shares)).length > 0) return true
  return (await shelf.list<InRow>("in/")).some(({ state }) => state === "waiting" || state === "paused")
}
