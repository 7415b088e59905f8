/** `history`, `archive-put`, `archive-read`: what is read from a place on. */
import type { StoredMessage } from "@kez/broker"
import { chatLimits, decodeDelivery } from "@kez/chat"
import { maxAnswerPartsBytes, readChunk } from "../limits.ts"
import { type CommandDeps, conversationFor, type Handler, partOf } from "./command.ts"

interface Places {
  readonly places: readonly number[]
  readonly is_end: boolean
}

type Reader = (fromSeq: number, limit: number) => Promise<readonly StoredMessage[]>

export function history(deps: CommandDeps): Handler<"history"> {
  return async (caller, { header: { conversation, kind, from, limit } }) => {
    await conversationFor(deps, caller, conversation)
    const read: Reader = (fromSeq, count) => deps.store.read({ conversation, kind, fromSeq, limit: count })
    const { answer, parts } = await readPlaces(read, from, limit)
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

export function archiveRead({ store }: CommandDeps): Handler<"archive-read"> {
  return ({ uid }, { header: { from, limit } }) =>
    readPlaces((fromSeq, count) => store.readArchive({ uid, fromSeq, limit: count }), from, limit)
}

/** As many as one answer carries, at least one where there is one. A few are read at a time, so that little is read in vain. */
async function readPlaces(
  read: Reader,
  from: number,
  limit: number,
): Promise<{ readonly answer: Places; readonly parts: readonly Uint8Array[] }> {
  const taken: StoredMessage[] = []
  let bytes = 0
  let next = from
  const answer = (isEnd: boolean) => ({
    answer: { places: taken.map(({ seq }) => seq), is_end: isEnd },
    parts: taken.map(({ data }) => data),
  })
  while (taken.length < limit) {
    const chunk = await read(next, readChunk)
    for (const message of chunk) {
      if (taken.length === limit || (taken.length > 0 && bytes + message.data.length > maxAnswerPartsBytes)) {
        return answer(false)
      }
      taken.push(message)
      bytes += message.data.length
      next = message.seq + 1
    }
    if (chunk.length < readChunk) return answer(true)
  }
  return answer(false)
}
