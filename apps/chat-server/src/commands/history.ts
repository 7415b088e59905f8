/** `history`, `archive-put`, `archive-read`: what is read from a place on. */
import type { StoredPage } from "@kez/broker"
import { chatLimits, decodeDelivery } from "@kez/chat"
import type { Gate } from "../conversations/gate.ts"
import { costOfReading, maxAnswerPartsBytes } from "../limits.ts"
import { type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

interface Places {
  readonly places: readonly number[]
  readonly is_end: boolean
}

export function history(deps: CommandDeps, reading: Gate): Handler<"history"> {
  return async (caller, { header: { conversation, kind, from: fromSeq, limit } }) => {
    await conversationFor(deps, caller, conversation)
    const { answer, parts } = await readPage(reading, () =>
      deps.store.read({ conversation, kind, fromSeq, limit, maxBytes: maxAnswerPartsBytes }),
    )
    return { answer, parts: parts.map((part) => decodeDelivery(part).data) }
  }
}

export function archivePut({ store, sent, turns }: CommandDeps): Handler<"archive-put"> {
  return ({ uid, dev }, { header: { id }, parts }) => {
    const data = partOf(parts, chatLimits.maxArchiveEntryBytes)
    const name = `archive.${uid}.${dev}.${id}`
    return turns.take(name, async () => {
      const seq = (await sent.find(name)) ?? (await store.archive({ uid, id: name, data })).seq
      sent.note(name, seq)
      return { answer: { seq } }
    })
  }
}

export function archiveRead({ store }: CommandDeps, reading: Gate): Handler<"archive-read"> {
  return ({ uid }, { header: { from: fromSeq, limit } }) =>
    readPage(reading, () => store.readArchive({ uid, fromSeq, limit, maxBytes: maxAnswerPartsBytes }))
}

/** As many as one answer carries, at least one where there is one. */
async function readPage(
  reading: Gate,
  read: () => Promise<StoredPage>,
): Promise<{ readonly answer: Places; readonly parts: readonly Uint8Array[] }> {
  const { messages, isEnd } = await reading.pass(costOfReading, read)
  let bytes = 0
  const end = messages.findIndex(({ data }, at) => {
    bytes += data.length
    return at > 0 && bytes > maxAnswerPartsBytes
  })
  const taken = end === -1 ? messages : messages.slice(0, end)
  return {
    answer: { places: taken.map(({ seq }) => seq), is_end: isEnd && taken.length === messages.length },
    parts: taken.map(({ data }) => data),
  }
}
