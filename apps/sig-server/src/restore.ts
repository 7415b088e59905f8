/** Fills an empty storage of any kind from a backup, and believes nothing in it: every chain is replayed, every signature checked. */
import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import {
  type ChainReplay,
  decodeEnvelope,
  decodeText,
  envelopeDigest,
  formatEnvelope,
  judgeHead,
  KezError,
  limits,
  parseTime,
  replayChain,
  type SigchainEvent,
} from "@kez/core"
import {
  type BackupHeader,
  type BackupLine,
  type BackupTrailer,
  maxBackupLineBytes,
  parseBackupLine,
  parseHeader,
} from "./backup-lines.ts"
import { boundedLines } from "./bounded-lines.ts"
import { newEvent } from "./chains/service.ts"
import { maxBackupHeads } from "./limits.ts"
import type { FilledChain, Storage, StoredHead } from "./storage/storage.ts"

export interface RestoreOptions {
  readonly path: string
  /** Unix seconds. */
  readonly now: number
  /** Told after each chain. */
  readonly onProgress?: (soFar: RestoreResult) => void
}

export interface RestoreResult {
  readonly chains: number
  readonly events: number
  readonly heads: number
  /** Heads that count no more, expired ones above all. */
  readonly headsLeftOut: number
}

/**
 * Writes nothing unless the whole file is right. Throws `store.exists` for a storage that is not empty, `store.unknown` for what
 * is no backup, `store.newer`, `store.corrupt` for a damaged, cut or invented one, `input.unreadable`.
 */
export async function restore(storage: Storage, options: RestoreOptions): Promise<RestoreResult> {
  const progress = { chains: 0, events: 0, heads: 0, headsLeftOut: 0 }
  await storage.fill(readBackup(options, progress))
  return progress
}

/** Reads and checks a backup, and writes nothing. Throws as `restore` does. */
export async function checkBackup(options: RestoreOptions): Promise<RestoreResult> {
  const progress = { chains: 0, events: 0, heads: 0, headsLeftOut: 0 }
  for await (const _ of readBackup(options, progress));
  return progress
}

type Progress = { -readonly [Name in keyof RestoreResult]: RestoreResult[Name] }
type EventLine = BackupLine & { readonly is: "event" }

interface Group {
  readonly events: EventLine[]
  readonly heads: string[]
}

async function* readBackup({ path, now, onProgress }: RestoreOptions, progress: Progress): AsyncGenerator<FilledChain> {
  for await (const group of readGroups(path)) {
    const chain = checkChain(group, now)
    progress.chains++
    progress.events += group.events.length
    progress.heads += chain.heads.length
    progress.headsLeftOut += group.heads.length - chain.heads.length
    onProgress?.({ ...progress })
    yield chain
  }
}

/** The lines of one chain after the other. Whether the file is whole is known, and said, at its end. */
async function* readGroups(path: string): AsyncGenerator<Group> {
  const reader = new BackupReader()
  for await (const bytes of linesOf(path)) {
    const group = reader.take(bytes)
    if (group !== undefined) yield group
  }
  const group = reader.end()
  if (group !== undefined) yield group
}

class BackupReader {
  readonly #hash = createHash("sha256")
  #header: BackupHeader | undefined
  #group: Group | undefined
  #trailer: BackupTrailer | undefined
  #events = 0
  #heads = 0

  /** The chain that is complete, when this line begins another. */
  take(bytes: Uint8Array): Group | undefined {
    if (this.#trailer !== undefined) throw corrupt("expected nothing after its last line")
    const line = decodeLine(bytes)
    if (this.#header === undefined) {
      this.#header = parseHeader(line)
      this.#hash.update(bytes).update("\n")
      return undefined
    }
    const parsed = parseBackupLine(line)
    if (parsed?.is !== "trailer") this.#hash.update(bytes).update("\n")
    switch (parsed?.is) {
      case undefined:
        throw corrupt("a line is none of a backup")
      case "trailer":
        this.#trailer = parsed
        return undefined
      case "head":
        this.#takeHead(parsed.text)
        return undefined
      case "event":
        if (parsed.cursor > this.#header.cursor) throw corrupt("it has an event that is later than itself")
        return this.#takeEvent(parsed)
    }
  }

  /** The last chain. */
  end(): Group | undefined {
    if (this.#header === undefined) throw new KezError("store.unknown", "Cannot read the backup: the file is empty")
    const { events, heads, sha256 } = this.#trailer ?? {}
    if (sha256 === undefined) throw corrupt("its end is missing")
    if (events !== this.#events || heads !== this.#heads || sha256 !== this.#hash.digest("hex")) {
      throw corrupt("its bytes are not those that were written")
    }
    return this.#group
  }

  #takeEvent(line: EventLine): Group | undefined {
    this.#events++
    // Events lie by seq: one that begins a chain ends the one before. A text that lies about this fails with its chain.
    const isFirst = this.#group === undefined || /"seq":0[,}]/.test(line.text)
    const complete = isFirst ? this.#group : undefined
    if (isFirst) this.#group = { events: [], heads: [] }
    this.#group?.events.push(line)
    if ((this.#group?.events.length ?? 0) > limits.maxKnownEvents) throw corrupt("it has too many events of one chain")
    return complete
  }

  #takeHead(text: string): void {
    this.#heads++
    if (this.#group === undefined) throw corrupt("a head stands before any chain")
    this.#group.heads.push(text)
    if (this.#group.heads.length > maxBackupHeads) throw corrupt("it has too many heads of one chain")
  }
}

function decodeLine(bytes: Uint8Array): string {
  try {
    return decodeText(bytes, maxBackupLineBytes)
  } catch (cause) {
    throw corrupt("it is not a text in UTF-8", cause)
  }
}

function checkChain(group: Group, now: number): FilledChain {
  const decoded = group.events.map((line) => ({ line, event: decode(line.text) }))
  const replay = replayStrictly(decoded.map(({ event }) => event))
  const events = decoded.map(({ line, event }) => {
    if (!replay.knows(envelopeDigest(event))) throw corrupt("an event does not belong to its chain")
    return { ...newEvent(event, replay.chain, line.storedAt), cursor: line.cursor }
  })
  return { events, heads: group.heads.flatMap((text) => readHead(text, replay, now)) }
}

function replayStrictly(events: readonly SigchainEvent[]): ChainReplay {
  try {
    const replay = replayChain(events)
    const [refusal] = replay.refused
    if (refusal !== undefined) throw new KezError(refusal.code, `Cannot accept event ${refusal.seq}`)
    return replay
  } catch (cause) {
    throw invented(cause)
  }
}

function decode(text: string): SigchainEvent {
  try {
    const event = decodeEnvelope(text, "sigchain_event")
    if (formatEnvelope(event) === text) return event
    throw new KezError("chain.not_canonical", "Cannot accept the event: it is not in canonical form")
  } catch (cause) {
    throw invented(cause)
  }
}

/** A head that counts no more (expired, by a key that is revoked since) is left out: clients refresh theirs. */
function readHead(text: string, replay: ChainReplay, now: number): readonly StoredHead[] {
  try {
    const head = decodeEnvelope(text, "chain_head")
    const { signer, expiresAt } = judgeHead(head, replay, now)
    const { chain, seq, digest } = head.payload
    return [{ chain, signer, seq, digest, expiresAt: parseTime(expiresAt), text: formatEnvelope(head) }]
  } catch (error) {
    if (error instanceof KezError) return []
    throw error
  }
}

async function* linesOf(path: string): AsyncGenerator<Buffer> {
  try {
    yield* boundedLines(createReadStream(path, { highWaterMark: 1_048_576 }), { maxLineBytes: maxBackupLineBytes })
  } catch (error) {
    if (error instanceof KezError) throw corrupt(error.message)
    if (!(error instanceof Error && "syscall" in error)) throw error
    throw new KezError("input.unreadable", `Cannot read the backup ${path}: expected a readable file`, { cause: error })
  }
}

function invented(cause: unknown): unknown {
  if (!(cause instanceof KezError)) return cause
  return corrupt(`a chain in it is not valid (${cause.code})`, cause)
}

function corrupt(reason: string, cause?: unknown): KezError {
  return new KezError("store.corrupt", `Cannot read the backup: ${reason}`, {
    ...(cause === undefined ? {} : { cause }),
    hint: "Nothing was restored. Take an older backup.",
  })
}
