/** Who fetched something whole may give it to others who are to have it: under the name of the offer, to the same people, after hashing it once more. */
import type { Engine } from "../engine/engine.ts"
import { maxListBytes } from "../limits.ts"
import { decodeFileList } from "./list.ts"
import { statesOf } from "./offers.ts"
import type { FilePorts, InRow, OutRow } from "./transfer.ts"

/** So long it is given to others, in later runs too. */
const passedOnSeconds = 7 * 86_400

interface Offered extends Pick<InRow, "conversation" | "transfer" | "sender"> {
  /** If it is for no others. */
  readonly people?: readonly string[] | undefined
}

/** Whether a member, or another device of ours, has not said yet that it has the file or does not want it. */
export async function isWanted(engine: Engine, { conversation, transfer, sender, people }: Offered): Promise<boolean> {
  const found = await engine.conversation(conversation)
  const said = await statesOf(engine, { conversation, transfer })
  // In a conversation of two whoever answers, answers for all of his devices, as far as the offer is concerned.
  const isSaid = (chain: string): boolean => said.some((one) => one.chain === chain)
  const isFor = (chain: string): boolean =>
    chain !== engine.chain && chain !== sender && people?.includes(chain) !== false
  if (found?.members.some((chain) => isFor(chain) && !isSaid(chain)) === true) return true
  if (sender === engine.chain) return false
  const devices = await engine.devices(conversation)
  return devices.some(
    ({ chain, device, standing, isSelf }) =>
      chain === engine.chain && !isSelf && standing === "current" && !said.some((one) => one.device === device),
  )
}

/** Imports what was fetched; undefined: it is not what was offered any more. */
export async function hashesToPassOn({ mover, disk }: FilePorts, row: InRow): Promise<ReadonlySet<string> | undefined> {
  const { targets = [], into, id, hash, listSize } = row
  const wanted =
    listSize === undefined
      ? [hash]
      : decodeFileList(await disk.readList(`${id}.json`, maxListBytes), row).map((file) => file.hash)
  const paths = targets.map((target) => disk.join(into, target))
  if (listSize !== undefined) paths.push(disk.join(disk.lists, `${id}.json`))
  const { files } = await mover.import(paths)
  const here = new Set(files.map((file) => file.hash))
  const all = new Set([hash, ...wanted])
  return [...all].every((one) => here.has(one)) ? all : undefined
}

export function passedOnRow(row: InRow, { clock, disk }: FilePorts): OutRow {
  const { id, transfer, conversation, sender, name, size, files, hash, listSize, targets = [], into } = row
  return {
    ...{ transfer, conversation, name, size, files, hash, isOver: false },
    ...(listSize === undefined ? {} : { listSize }),
    paths: targets.map((target) => disk.join(into, target)),
    passedOn: { id, sender, until: clock.now() + passedOnSeconds },
  }
}
