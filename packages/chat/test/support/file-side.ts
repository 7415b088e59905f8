/** One side of a transfer: the engine of a home, the files part over it, and a mover that moves nothing. */

import type { ShownMessage } from "../../src/engine/engine.ts"
import { Files } from "../../src/files/files.ts"
import type { TransferNote, TransferView } from "../../src/files/transfer.ts"
import type { Home } from "./engine-world.ts"
import { type GroupOfThree, three } from "./group-world.ts"
import { type ModelMover, modelDisk, modelMover } from "./model-mover.ts"

export const offeredHash = "c".repeat(64)

export interface FileSide {
  readonly mover: ModelMover
  readonly files: Files
  /** What was told, the newest last. */
  readonly views: TransferView[]
  readonly notes: TransferNote[]
}

export interface FileSideSetup {
  /** The name of what it offers, as a digit. */
  readonly id?: string
  readonly passesOn?: boolean
}

/** 64 times one digit: an endpoint, or the name of an offer. */
export function idOf(digit: string): string {
  return digit.repeat(64)
}

/** At the endpoint of that digit. Each import finds one photo of five bytes. */
export function fileSide(
  { engine, clock }: Home,
  digit: string,
  { id = "f", passesOn = true }: FileSideSetup = {},
): FileSide {
  const mover = modelMover(idOf(digit), [{ path: "photo.jpg", size: 5, hash: offeredHash }])
  const views: TransferView[] = []
  const notes: TransferNote[] = []
  const files = new Files(
    { engine, mover, disk: modelDisk, clock, newId: () => idOf(id), passesOn },
    (view, note) => {
      views.push(view)
      if (note !== undefined) notes.push(note)
    },
    () => undefined,
  )
  files.start()
  return { mover, files, views, notes }
}

export interface OfferedInGroup extends GroupOfThree {
  /** Alice's, who offers the photo. */
  readonly a: FileSide
  /** Says yes to the offer; resolves to the job that fetches it, "" where none began. */
  accept(home: Home, side: FileSide): Promise<string>
}

export async function offeredInGroup(): Promise<OfferedInGroup> {
  const all = await three()
  const a = fileSide(all.alice, "a")
  await a.files.offer(all.id, ["/x/photo.jpg"], "photo.jpg")
  await all.world.rest()
  const accept = async (home: Home, side: FileSide): Promise<string> => {
    const message = await offerAt(home, all.id)
    await side.files.run(() => side.files.receiving.accept(message, "/in"))
    await all.world.rest()
    return side.mover.fetches.at(-1)?.job ?? ""
  }
  return { ...all, a, accept }
}

/** The first offer in a conversation, as somebody has it. */
export async function offerAt({ engine }: Home, conversation: string): Promise<ShownMessage> {
  const message = (await engine.messages(conversation)).find(({ type }) => type === "file_offer")
  if (message === undefined) throw new Error("no offer came")
  return message
}
