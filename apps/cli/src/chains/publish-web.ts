/** The chain as a file of a web site: `/.well-known/kez-sigchain.jsonl`. SPEC DNS-5 */
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs"
import { join } from "node:path"
import { formatChain, KezError, limits, type SigchainEvent } from "@kez/core"
import { chainOfDocument, type Served } from "../chain-sources.ts"
import { writeDocument } from "../documents.ts"

const name = "kez-sigchain.jsonl"

export interface WebFolder {
  readonly file: string
  /** What lies there already: it may be from another computer, and know more than this one. */
  readonly found: readonly Served[]
  /** Writes the whole file or nothing of it; one that says the same already stays as it is. Throws `store.write`. */
  write(path: readonly SigchainEvent[]): { readonly isChanged: boolean; readonly events: number }
}

/** Throws `usage` for a folder that is not there: a mistyped one would be served by nobody. */
export function readWebFolder(folder = ""): WebFolder {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    throw new KezError("usage", `Cannot use --web ${folder}: expected the folder that your web server serves`)
  }
  const file = join(folder, ".well-known", name)
  const before = existsSync(file) && statSync(file).size <= limits.maxChainBytes ? readFileSync(file) : undefined
  return {
    file,
    found: before === undefined ? [] : [chainOfDocument(file, before)],
    write(path) {
      const text = formatChain(path)
      const isChanged = before?.toString("utf8") !== text
      if (isChanged) {
        mkdirSync(join(folder, ".well-known"), { recursive: true })
        writeDocument(file, text, { force: true })
      }
      return { isChanged, events: path.length }
    },
  }
}
