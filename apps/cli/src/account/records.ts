/** The chat accounts on this computer: a public record for each, readable without a passphrase, in a folder of its own. */
import { readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type { Digest } from "@kez/core"
import type { Context } from "../context.ts"
import { fault } from "../fault.ts"
import { makePrivateDir, replaceFile, tryReadFile } from "../keys/durable-file.ts"
import type { Paths } from "../paths.ts"

export interface AccountRecord {
  /** Name of its folder; never changes. */
  readonly id: string
  readonly handle: string
  readonly host: string
  /** Name of the identity that is its primary. The key itself may be elsewhere, on paper for example. */
  readonly identity: string
  /** Key identity of that primary. Absent until it is made. */
  readonly primary?: string
  /** Absent until the chain is begun or found. */
  readonly chain?: Digest
  /** Key identity of this device. Absent until it is made. */
  readonly device?: string
  /** `creating`: registered or not, something is still to be done. The same command goes on with it. */
  readonly state: "creating" | "ready"
  /** A rename or move that is under way. */
  readonly moving?: { readonly handle: string; readonly host: string }
  /** Statements about its handles that were signed here: any other in the log is an alarm. */
  readonly statements: readonly string[]
  /** The statement of the primary by which the words read the account's history. Absent in records of older versions. */
  readonly archive_key?: string
  /** RFC 3339. */
  readonly created_at: string
}

const idForm = /^[0-9a-f]{16}$/
const form = /^@?([A-Za-z][A-Za-z0-9_-]{0,255})@([A-Za-z0-9.-]{1,253})$/

/** `handle@host`, as people and messages name an account. */
export function nameOfAccount({ handle, host }: Pick<AccountRecord, "handle" | "host">): string {
  return `${handle}@${host}`
}

/** Of `alice@chat.example`, folded and checked. Throws `usage`, `identity.*`. */
export async function parseAccountName(typed: string): Promise<{ readonly handle: string; readonly host: string }> {
  const [, name = "", typedHost = ""] = form.exec(typed.trim()) ?? []
  if (name === "") {
    throw fault("usage", "Cannot use this as an account: expected HANDLE@HOST, such as alice@chat.example.org", {
      hint: "The host is the chat server's; who runs it tells you.",
    })
  }
  const [{ isHost }, { parseHandle }] = await Promise.all([import("@kez/core"), import("@kez/core/directory")])
  const host = typedHost.toLowerCase()
  if (!isHost(host)) {
    throw fault(
      "identity.syntax",
      "Cannot use the host of the account: expected a domain such as chat.example.org, or localhost",
    )
  }
  return { handle: parseHandle(name), host }
}

export function folderOf(paths: Paths, { id }: Pick<AccountRecord, "id">): string {
  return join(paths.accounts, id)
}

export function listAccounts(paths: Paths): readonly AccountRecord[] {
  const records = listDir(paths.accounts)
    .filter((id) => idForm.test(id))
    .flatMap((id) => tryReadRecord(paths, id) ?? [])
  return records.sort((a, b) => nameOfAccount(a).localeCompare(nameOfAccount(b), "en"))
}

/** Written before whatever it promises, so that an interrupted command finds where it was. */
export function writeAccount(paths: Paths, record: AccountRecord): AccountRecord {
  makePrivateDir(folderOf(paths, record))
  replaceFile(recordPath(paths, record.id), `${JSON.stringify(record, undefined, 2)}\n`)
  if (tryReadFile(paths.currentAccount) === undefined) replaceFile(paths.currentAccount, `${record.id}\n`)
  return record
}

export function useAccount(paths: Paths, { id }: AccountRecord): void {
  replaceFile(paths.currentAccount, `${id}\n`)
}

/** Takes an account away from this computer, with its keys and messages. */
export function forgetAccount(paths: Paths, record: AccountRecord): void {
  rmSync(folderOf(paths, record), { recursive: true, force: true })
  if (tryReadFile(paths.currentAccount)?.trim() === record.id) rmSync(paths.currentAccount, { force: true })
}

/** `--account`, else the one in use, else the only one. Throws `store.unknown`, `usage`. */
export async function chooseAccount({ paths }: Context, wanted: string | undefined): Promise<AccountRecord> {
  const all = listAccounts(paths)
  const names = all.map(nameOfAccount)
  const hint =
    all.length === 0
      ? "To make one: kez account create HANDLE@HOST\nTo bring one here from its 24 words: kez account restore"
      : `Those here: ${names.slice(0, 8).join(", ")}`
  if (wanted !== undefined) {
    const found = all.find((record) => nameOfAccount(record) === wanted || record.handle === wanted)
    if (found !== undefined) return found
    const { handle, host } = await parseAccountName(wanted)
    const folded = all.find((record) => record.handle === handle && record.host === host)
    if (folded !== undefined) return folded
    throw fault("store.unknown", `Cannot find the account ${handle}@${host} on this computer`, { hint })
  }
  const current = tryReadFile(paths.currentAccount)?.trim()
  const chosen = all.find(({ id }) => id === current) ?? (all.length === 1 ? all[0] : undefined)
  if (chosen !== undefined) return chosen
  if (all.length === 0) throw fault("store.unknown", "Cannot find a chat account on this computer", { hint })
  throw fault("usage", "Cannot tell which account to use: there are several", {
    hint: `Choose one: kez account use ${names[0]}\nOr pass --account HANDLE@HOST.`,
  })
}

/** The same, ready to be used. Throws `store.unknown` for one whose creation was interrupted. */
export async function readyAccount(context: Context, wanted: string | undefined): Promise<ReadyAccount> {
  const record = await chooseAccount(context, wanted)
  const { chain, device, primary } = record
  if (record.state === "ready" && chain !== undefined && device !== undefined && primary !== undefined) {
    return { ...record, chain, device, primary }
  }
  throw fault("store.unknown", `Cannot use ${nameOfAccount(record)} yet: its creation was interrupted`, {
    hint: `To go on with it: kez account create ${nameOfAccount(record)}`,
  })
}

export interface ReadyAccount extends AccountRecord {
  readonly primary: string
  readonly chain: Digest
  readonly device: string
}

function recordPath(paths: Paths, id: string): string {
  return join(paths.accounts, id, "account.json")
}

function tryReadRecord(paths: Paths, id: string): AccountRecord | undefined {
  const path = recordPath(paths, id)
  const text = tryReadFile(path)
  if (text === undefined) return undefined
  const record = tryParse(text)
  if (record?.id === id) return record
  throw fault("store.corrupt", `Cannot read ${path}: it is not the record of an account`, {
    hint: "Move this folder away, then: kez account restore, with your 24 words.",
  })
}

function tryParse(text: string): AccountRecord | undefined {
  try {
    const record: Partial<AccountRecord> = JSON.parse(text)
    const isText = (value: unknown): boolean => typeof value === "string"
    const isMaybe = (value: unknown): boolean => value === undefined || typeof value === "string"
    const { handle, host, identity, primary, chain, device, state, statements, archive_key, created_at } = record
    const isWhole =
      [record.id, handle, host, identity, created_at].every(isText) &&
      [primary, chain, device, archive_key].every(isMaybe) &&
      (state === "creating" || state === "ready") &&
      Array.isArray(statements) &&
      statements.every(isText)
    return isWhole ? (record as AccountRecord) : undefined
  } catch {
    return undefined
  }
}

function listDir(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}
