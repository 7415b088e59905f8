/** How an account looks: its JSON, and its lines for people. */
import type { ChainReplay } from "@kez/core"
import { wordsText } from "../commands/identity-view.ts"
import type { Context } from "../context.ts"
import { tryReadFile } from "../keys/durable-file.ts"
import { tryReadIdentity } from "../keys/identities.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { paint } from "../output.ts"
import { isName } from "../paths.ts"
import { shortKey } from "../short-text.ts"
import { type KnownArchive, knownArchive } from "./archive-state.ts"
import { type AccountRecord, folderOf, nameOfAccount } from "./records.ts"

/** `data` of kez.account/1. */
export interface AccountView {
  readonly account: string
  readonly handle: string
  readonly host: string
  readonly state: AccountRecord["state"]
  readonly chain: string | null
  readonly primary: string | null
  readonly device: string | null
  /** Keys of the other devices that the chain lists; null where the chain is not here. */
  readonly other_devices: readonly string[] | null
  readonly identity: string
  /** Whether the primary's key is on this computer. */
  readonly holds_primary: boolean
  readonly backup: "confirmed" | "pending" | "unknown"
  readonly protection: "passphrase" | "none" | "not_held"
  /** Whether the words, and other devices, can read what is said: as the last chat found it. */
  readonly archive: KnownArchive["state"]
  /** Of `off` and `closed`: why, and what to do. */
  readonly archive_reason: string | null
  readonly is_current: boolean
  readonly created_at: string
}

export function accountView(context: Context, record: AccountRecord, replay?: ChainReplay): AccountView {
  const { paths } = context
  const identity = isName(record.identity) ? tryReadIdentity(paths, record.identity) : undefined
  const isSame = identity !== undefined && identity.identity === record.primary
  const file = findKeyFile(folderOf(paths, record), "device")
  const others = replay?.state.devices.map(({ key }) => key).filter((key) => key !== record.device)
  const archive = knownArchive(paths, record, replay?.state.primary)
  return {
    account: nameOfAccount(record),
    handle: record.handle,
    host: record.host,
    state: record.state,
    chain: record.chain ?? null,
    primary: record.primary ?? null,
    device: record.device ?? null,
    other_devices: others ?? null,
    identity: record.identity,
    holds_primary: isSame && findKeyFile(paths.keys, record.identity) !== undefined,
    backup: isSame ? identity.backup : "unknown",
    protection: file === undefined ? "not_held" : file.isEncrypted ? "passphrase" : "none",
    archive: archive.state,
    archive_reason: archive.reason ?? null,
    is_current: tryReadFile(paths.currentAccount)?.trim() === record.id,
    created_at: record.created_at,
  }
}

export function formatAccountView(context: Context, view: AccountView): string {
  const { color } = context.terminal
  const identity = isName(view.identity) ? tryReadIdentity(context.paths, view.identity) : undefined
  const words = view.backup === "unknown" || identity === undefined ? "on your paper alone" : wordsText(identity)
  const others = view.other_devices ?? []
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["chain", view.chain ?? "none yet"],
    ["identity", `${view.identity}  ${view.primary ?? "not made yet"}`],
    ["words", words],
    ["device", `${view.device ?? "none yet"}${view.protection === "none" ? ", NOT ENCRYPTED" : ""}`],
    ...(others.length === 0 ? [] : [["also", others.map(shortKey).join(", ")] as const]),
    ["history", historyText(view)],
    ["created", view.created_at],
  ]
  const state = view.state === "ready" ? (view.is_current ? "  (in use)" : "") : "  NOT FINISHED"
  return [
    `${paint(color, "bold", view.account)}${state}`,
    ...rows.map(([name, text]) => `  ${name.padEnd(10)}${text}`),
  ].join("\n")
}

/** Whether it outlasts this computer. */
function historyText({ archive, archive_reason: reason }: AccountView): string {
  switch (archive) {
    case "on":
      return "in your archive: your words and your devices can read it"
    case "unknown":
      return "will be in your archive: no chat was online yet"
    case "off":
      return `ON THIS DEVICE ALONE. ${reason ?? ""}`.trim()
    case "closed":
      return `this device cannot read the archive yet. ${reason ?? ""}`.trim()
  }
}
