/** The log code of Go's checksum database as a process that answers questions, for comparisons. */
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { findServer, skipWithout } from "./servers.ts"

const dirs = [join(import.meta.dirname, "../../.cache/test-servers")]

/** For `{ skip: tlogPeerMissing }`. */
export const tlogPeerMissing: string | false = skipWithout("tlog-peer", dirs)

export interface TlogQuestion {
  readonly op: "root" | "include" | "extend" | "check-include" | "check-extend" | "tile" | "sign" | "open"
  readonly leaves?: readonly Uint8Array[]
  readonly first?: number
  readonly second?: number
  readonly proof?: readonly Uint8Array[]
  /** Of `check-include` the root and the leaf hash; of `check-extend` both roots. */
  readonly roots?: readonly Uint8Array[]
  readonly key?: string
  readonly text?: string
  readonly level?: number
  readonly width?: number
}

export interface TlogAnswer {
  readonly ok: boolean
  readonly error: string | undefined
  readonly hashes: readonly Uint8Array[]
  readonly text: string
}

/** Asks all questions, in order. */
export async function askTlogPeer(questions: readonly TlogQuestion[]): Promise<readonly TlogAnswer[]> {
  const path = findServer("tlog-peer", dirs)
  if (path === undefined) throw new Error("unreachable: the test is skipped without tlog-peer")
  const child = spawn(path, [], { stdio: ["pipe", "pipe", "inherit"] })
  child.stdin.end(questions.map((question) => `${JSON.stringify(inBase64(question))}\n`).join(""))
  const answers: TlogAnswer[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    const { ok, error, hashes = [], text = "" } = JSON.parse(line)
    answers.push({ ok, error, text, hashes: hashes.map((hash: string) => new Uint8Array(Buffer.from(hash, "base64"))) })
  }
  if (answers.length !== questions.length)
    throw new Error(`tlog-peer answered ${answers.length} of ${questions.length}`)
  return answers
}

/** Go reads bytes as base64. */
function inBase64({ leaves, proof, roots, ...rest }: TlogQuestion): object {
  const texts = (list: readonly Uint8Array[] | undefined) => list?.map((bytes) => Buffer.from(bytes).toString("base64"))
  return { ...rest, leaves: texts(leaves), proof: texts(proof), roots: texts(roots) }
}
