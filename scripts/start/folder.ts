/** The folder of `npm start`: known by its mark, used by one process at a time, and deleted only when it is certainly ours. */
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { KezError } from "@kez/core"
import type { Ports } from "./ports.ts"

const markName = "kez-trial.json"
const mark = { kind: "kez-trial", version: 1 } as const
const runName = "running.json"

/** What runs now, or ran when the last process was killed. */
export interface RunRecord {
  readonly pid: number
  readonly ports: Ports
  readonly children: readonly { readonly name: string; readonly pid: number }[]
}

/** Makes it where it is missing. Throws `store.exists` for a folder that holds something else. */
export function openFolder(folder: string): void {
  const isThere = existsSync(folder)
  if (isThere && !isOwnFolder(folder) && readdirSync(folder).length > 0) throw notOurs(folder, "use")
  mkdirSync(join(folder, "logs"), { recursive: true, mode: 0o700 })
  if (!existsSync(join(folder, markName))) writeFileSync(join(folder, markName), `${JSON.stringify(mark)}\n`)
}

/** Throws `store.exists` unless it is a folder that `openFolder` made. Nothing happens where there is none. */
export function deleteFolder(folder: string): void {
  if (!existsSync(folder)) return
  const path = resolve(folder)
  const isAbove = [process.cwd(), homedir(), import.meta.dirname].some((one) => one === path || isInside(one, path))
  // A link would have somebody else's files deleted.
  if (isAbove || !lstatSync(path).isDirectory() || !isOwnFolder(path)) throw notOurs(path, "delete")
  rmSync(path, { recursive: true })
}

function isInside(path: string, folder: string): boolean {
  const above = dirname(path)
  return above === folder || (above !== path && isInside(above, folder))
}

function isOwnFolder(folder: string): boolean {
  try {
    const { kind, version } = JSON.parse(readFileSync(join(folder, markName), "utf8"))
    return kind === mark.kind && version === mark.version
  } catch {
    return false
  }
}

function notOurs(folder: string, what: string): KezError {
  return new KezError("store.exists", `Cannot ${what} ${folder}: it was not made by npm start`, {
    hint: "Nothing was changed. Move it away, or choose another one: npm start -- --folder DIR",
  })
}

/**
 * Until `release`, or the end of this process however it ends: the operating system holds the lock of the file, so that no lock is ever left
 * over. Throws `store.busy` with what runs.
 */
export function lockFolder(folder: string): { release(): void } {
  const database = new DatabaseSync(join(folder, "lock"))
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE")
  } catch (cause) {
    database.close()
    throw busy(folder, cause)
  }
  return { release: () => database.close() }
}

function busy(folder: string, cause: unknown): KezError {
  const record = readRunRecord(folder)
  const who = record === undefined ? "" : `, process ${record.pid}`
  const where = record === undefined ? "" : ` Its chat server is at http://127.0.0.1:${record.ports.chat}.`
  return new KezError("store.busy", `Cannot start: npm start is running already with ${folder}${who}`, {
    cause,
    hint: `Use that one.${where} Ctrl-C in its terminal stops it${record === undefined ? "" : `, or: kill ${record.pid}`}`,
  })
}

export function writeRunRecord(folder: string, record: RunRecord): void {
  writeFileSync(join(folder, runName), `${JSON.stringify(record)}\n`)
}

export function removeRunRecord(folder: string): void {
  rmSync(join(folder, runName), { force: true })
}

export function readRunRecord(folder: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, runName), "utf8"))
  } catch {
    return undefined
  }
}
