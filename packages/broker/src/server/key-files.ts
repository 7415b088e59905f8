/** The broker's keys: made once, each seed in a file of its own that only its owner may read. */
import { randomBytes } from "node:crypto"
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs"
import { dirname, join } from "node:path"
import { KezError } from "@kez/core"
import { createSeed, type Nkey, type NkeyRole, parseSeed } from "../nkey.ts"

const roles = {
  /** The responder, in account AUTH. */
  auth: "user",
  /** The chat server where streams are, in account STORE. */
  store: "user",
  /** The chat server where commands come in, in account CHAT. */
  chat: "user",
  /** The chat server where connections are seen and cut, in the system account. */
  sys: "user",
  /** Signs our answers to nats-server. */
  issuer: "account",
  /** Questions and answers are sealed for it. */
  xkey: "curve",
} as const satisfies Readonly<Record<string, NkeyRole>>

export type KeyName = keyof typeof roles
const names = Object.keys(roles) as readonly KeyName[]

export type BrokerKeys = Readonly<Record<KeyName, Nkey>> & {
  /** Makes the subjects of mailboxes, so that no user can name one. 32 bytes. */
  readonly mailboxSecret: Uint8Array
}

/** Reads the keys of a folder. Throws `store.unknown` when one is missing, `store.permissions`, or `key.encoding`. */
export function readBrokerKeys(folder: string): BrokerKeys {
  const read = (name: KeyName): Nkey => parseSeed(readSecret(join(folder, `${name}.seed`)), roles[name])
  const keys: Readonly<Record<KeyName, Nkey>> = {
    auth: read("auth"),
    store: read("store"),
    chat: read("chat"),
    sys: read("sys"),
    issuer: read("issuer"),
    xkey: read("xkey"),
  }
  const mailboxSecret = Buffer.from(readSecret(join(folder, "mailbox.secret")), "base64url")
  if (mailboxSecret.length !== 32) throw new KezError("store.corrupt", "Cannot use mailbox.secret: expected 32 bytes")
  return { ...keys, mailboxSecret }
}

/** Makes those keys that are missing and reads all. New issuer and xkey need a restart of nats-server, so nothing is ever replaced. */
export function ensureBrokerKeys(folder: string): BrokerKeys {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const name of names) writeSecret(join(folder, `${name}.seed`), () => createSeed(roles[name]))
  writeSecret(join(folder, "mailbox.secret"), () => randomBytes(32).toString("base64url"))
  return readBrokerKeys(folder)
}

function readSecret(path: string): string {
  if (!existsSync(path)) {
    throw new KezError("store.unknown", `Cannot find ${path}: the broker's keys are not in this folder`, {
      hint: "Give the folder that the broker was set up with, or start it once so that keys are made",
    })
  }
  if (process.platform !== "win32" && (statSync(path).mode & 0o077) !== 0) {
    throw new KezError("store.permissions", `Cannot use ${path}: others may read it`, { hint: `chmod 600 ${path}` })
  }
  return readFileSync(path, "utf8").trim()
}

/** Whole or not at all, and never over one that is there: two first starts at once must end with the same keys. */
function writeSecret(path: string, make: () => string): void {
  if (existsSync(path)) return
  const attempt = `${path}.${randomBytes(6).toString("hex")}`
  const file = openSync(attempt, "wx", 0o600)
  try {
    writeSync(file, `${make()}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  try {
    linkSync(attempt, path)
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  } finally {
    unlinkSync(attempt)
  }
  if (process.platform === "win32") return
  const folder = openSync(dirname(path), "r")
  fsyncSync(folder)
  closeSync(folder)
}
