/** The identities on this computer: a public record for each, readable without a passphrase, beside its key file. */
import { readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import { fault } from "../fault.ts"
import { assertName, isName, type Paths } from "../paths.ts"
import { createFile, makePrivateDir, removeFile, replaceFile, tryReadFile, withLock } from "./durable-file.ts"

export interface IdentityRecord {
  readonly name: string
  /** The key identity, as text. */
  readonly identity: string
  /** How many recovery words it has; absent for a key that came without words. */
  readonly words?: 12 | 24
  /** Whether its owner has shown that the words are on paper. */
  readonly backup: "confirmed" | "pending"
  /** RFC 3339. */
  readonly created_at: string
}

/** What makes a new identity: its record, and the text of its key file. */
export interface NewIdentity {
  readonly record: IdentityRecord
  readonly keyText: string
  readonly isEncrypted: boolean
}

/** All records, by name. */
export function listIdentities(paths: Paths): readonly IdentityRecord[] {
  const names = listDir(paths.identities)
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .filter(isName)
  return names.sort().flatMap((name) => tryReadIdentity(paths, name) ?? [])
}

/** Names of key files that have no record: what a crash or a copy by hand leaves. `identity unlock` repairs them. */
export function listOrphans(paths: Paths): readonly string[] {
  const known = new Set(listIdentities(paths).map(({ name }) => name))
  const names = listDir(paths.keys).flatMap((file) => /^([^.].*)\.(?:age|key)$/.exec(file)?.[1] ?? [])
  return names.filter((name) => isName(name) && !known.has(name)).sort()
}

export function tryReadIdentity(paths: Paths, name: string): IdentityRecord | undefined {
  assertName("name", name)
  const path = recordPath(paths, name)
  const text = tryReadFile(path)
  return text === undefined ? undefined : parseRecord(path, name, text)
}

/** Throws `store.unknown`. */
export function readIdentity(paths: Paths, name: string): IdentityRecord {
  const record = tryReadIdentity(paths, name)
  if (record !== undefined) return record
  throw fault("store.unknown", `Cannot find an identity called ${name} on this computer`, {
    hint: "kez identity list shows those that are here.",
  })
}

/** The name that `identity use` chose, else the only one there is. */
export function findCurrentName(paths: Paths): string | undefined {
  const chosen = tryReadFile(paths.current)?.trim()
  if (chosen !== undefined && isName(chosen)) return chosen
  const [only, ...others] = listIdentities(paths)
  return others.length === 0 ? only?.name : undefined
}

/** Throws `store.exists` if the name is taken, by a record or by a key file. The first identity becomes the current one. */
export async function addIdentity(paths: Paths, { record, keyText, isEncrypted }: NewIdentity): Promise<void> {
  assertName("name", record.name)
  for (const dir of [paths.data, paths.keys, paths.identities]) makePrivateDir(dir)
  await withLock(paths.keys, () => {
    assertFree(paths, record.name)
    const keyPath = join(paths.keys, `${record.name}.${isEncrypted ? "age" : "key"}`)
    // The key first: a record without its key would promise what is not there.
    createFile(keyPath, keyText)
    try {
      createFile(recordPath(paths, record.name), formatRecord(record))
      if (tryReadFile(paths.current) === undefined) replaceFile(paths.current, `${record.name}\n`)
    } catch (cause) {
      // The disk filled up on the way: what was announced as failed must not be there.
      for (const path of [recordPath(paths, record.name), keyPath]) rmSync(path, { force: true })
      throw cause
    }
  })
}

/** Throws `store.exists` where the name is taken. Asked early too, before anybody writes words on paper. */
export function assertFree(paths: Paths, name: string): void {
  assertName("name", name)
  const files = [recordPath(paths, name), join(paths.keys, `${name}.age`), join(paths.keys, `${name}.key`)]
  const taken = files.find((path) => statSync(path, { throwIfNoEntry: false }) !== undefined)
  if (taken === undefined) return
  throw fault("store.exists", `Cannot create the identity: the name ${name} is taken`, {
    hint: `Choose another name, or see kez identity show ${name}.`,
  })
}

/** Writes a record anew: another state of its backup, or the record of an orphan. */
export async function writeRecord(paths: Paths, record: IdentityRecord): Promise<void> {
  makePrivateDir(paths.identities)
  await withLock(paths.keys, () => replaceFile(recordPath(paths, record.name), formatRecord(record)))
}

export async function useIdentity(paths: Paths, name: string): Promise<void> {
  await withLock(paths.keys, () => replaceFile(paths.current, `${name}\n`))
}

/** Replaces the key file of a name if it still holds `oldText`. Throws `store.busy` where another process changed it. */
export async function replaceKeyFile(
  paths: Paths,
  name: string,
  change: {
    readonly oldText: string
    readonly newText: string
    readonly wasEncrypted: boolean
    readonly isEncrypted: boolean
  },
): Promise<void> {
  const oldPath = join(paths.keys, `${name}.${change.wasEncrypted ? "age" : "key"}`)
  const newPath = join(paths.keys, `${name}.${change.isEncrypted ? "age" : "key"}`)
  await withLock(paths.keys, () => {
    if (tryReadFile(oldPath) !== change.oldText) {
      throw fault("store.busy", `Cannot change the key file of ${name}: another kez has just changed it`)
    }
    replaceFile(newPath, change.newText)
    if (newPath !== oldPath) removeFile(oldPath)
  })
}

/** Writes the key file of a known name whatever is there now: its owner has just proved to have the key. */
export async function restoreKeyFile(paths: Paths, { record, keyText, isEncrypted }: NewIdentity): Promise<void> {
  const path = (ending: string): string => join(paths.keys, `${record.name}.${ending}`)
  const other = path(isEncrypted ? "key" : "age")
  await withLock(paths.keys, () => {
    replaceFile(path(isEncrypted ? "age" : "key"), keyText)
    if (tryReadFile(other) !== undefined) removeFile(other)
    replaceFile(recordPath(paths, record.name), formatRecord(record))
  })
}

export async function removeIdentity(paths: Paths, name: string): Promise<void> {
  const files = [join(paths.keys, `${name}.age`), join(paths.keys, `${name}.key`), recordPath(paths, name)]
  await withLock(paths.keys, () => {
    for (const path of files) if (tryReadFile(path) !== undefined) removeFile(path)
    if (tryReadFile(paths.current)?.trim() === name) removeFile(paths.current)
  })
}

export function newRecord(
  name: string,
  identity: string,
  details: {
    readonly words: 12 | 24 | undefined
    readonly backup: IdentityRecord["backup"]
    readonly createdAt: string
  },
): IdentityRecord {
  const { words, backup, createdAt } = details
  return { name, identity, ...(words === undefined ? {} : { words }), backup, created_at: createdAt }
}

function recordPath(paths: Paths, name: string): string {
  return join(paths.identities, `${name}.json`)
}

function formatRecord(record: IdentityRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`
}

function parseRecord(path: string, name: string, text: string): IdentityRecord {
  try {
    const record: Partial<IdentityRecord> = JSON.parse(text)
    const { identity, words, backup, created_at } = record
    const isWhole =
      record.name === name &&
      typeof identity === "string" &&
      /^(?:ed25519:[0-9a-f]{64}|nostr:npub1[0-9a-z]{58})$/.test(identity) &&
      (words === undefined || words === 12 || words === 24) &&
      (backup === "confirmed" || backup === "pending") &&
      typeof created_at === "string"
    if (isWhole) return { name, identity, ...(words === undefined ? {} : { words }), backup, created_at }
  } catch {
    // Told below, with the path.
  }
  throw fault("store.corrupt", `Cannot read ${path}: it is not the record of an identity`, {
    hint: `Delete this file, then run kez identity unlock ${name}: the key file has all that is needed.`,
  })
}

function listDir(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw error
  }
}
