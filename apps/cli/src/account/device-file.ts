/**
 * The keys of this device, in a key file like that of an identity: an age file under a passphrase. Beside them lies the key that
 * seals what the chat stores here.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import { createDeviceKeys, type DeviceKeys, decodeDeviceKeys, encodeDeviceKeys } from "@kez/chat"
import { formatHex, KezError, keyOfSecret, tryParseHex } from "@kez/core"
import type { Context } from "../context.ts"
import { createFile, removeFile, replaceFile, tryReadFile } from "../keys/durable-file.ts"
import { encryptText } from "../keys/key-file.ts"
import { findKeyFile } from "../keys/key-file-place.ts"
import { drawRandom } from "../keys/random.ts"
import { openSecretFile } from "../keys/unlock.ts"
import { whatComesBack } from "./archive-state.ts"
import { type AccountRecord, folderOf, nameOfAccount } from "./records.ts"

const fileName = "device"
const deviceBytes = 129

export interface Device {
  readonly keys: DeviceKeys
  /** 32 bytes; seals the values of the chat's store. */
  readonly storeKey: Uint8Array
}

/** The device as its chain names it. */
export function deviceOf({ keys }: Device): string {
  return keyOfSecret("ed25519", keys.sign)
}

export function drawDevice(): Device {
  return { keys: createDeviceKeys(), storeKey: drawRandom(32) }
}

/** Whether there is a key file for the account. */
export function hasDevice(context: Context, record: AccountRecord): boolean {
  return findKeyFile(folderOf(context.paths, record), fileName) !== undefined
}

/** Stores the keys of a new device; `passphrase` undefined stores them unencrypted. */
export async function storeDevice(
  context: Context,
  record: AccountRecord,
  { device, passphrase }: { readonly device: Device; readonly passphrase: string | undefined },
): Promise<void> {
  const text = passphrase === undefined ? formatDevice(device) : await encryptText(formatDevice(device), passphrase)
  createFile(pathOf(context, record, passphrase !== undefined), text)
}

/** Stores them anew under another passphrase. */
export async function rewriteDevice(
  context: Context,
  record: AccountRecord,
  { device, passphrase }: { readonly device: Device; readonly passphrase: string | undefined },
): Promise<void> {
  const isEncrypted = passphrase !== undefined
  const text = passphrase === undefined ? formatDevice(device) : await encryptText(formatDevice(device), passphrase)
  replaceFile(pathOf(context, record, isEncrypted), text)
  const other = pathOf(context, record, !isEncrypted)
  if (existsSync(other)) removeFile(other)
}

const opened = new WeakMap<Context, Map<string, Device>>()

/** The keys of the account's device: from the agent where it is unlocked, else from its key file. Asked for once in a command. */
export async function openDevice(context: Context, record: AccountRecord): Promise<Device> {
  const before = opened.get(context)?.get(record.id)
  if (before !== undefined) return before
  const device = (await fromAgent(context, record)) ?? (await fromFile(context, record))
  if (record.device !== undefined && deviceOf(device) !== record.device) {
    throw new KezError(
      "store.corrupt",
      `Cannot use the device of ${nameOfAccount(record)}: its key file holds another one`,
    )
  }
  rememberDevice(context, record, device)
  return device
}

/** So that nobody is asked twice. */
export function rememberDevice(context: Context, { id }: AccountRecord, device: Device): void {
  const known = opened.get(context) ?? new Map<string, Device>()
  opened.set(context, known.set(id, device))
}

/** Of the agent: the name of its socket. */
export function agentNameOf({ id }: AccountRecord): string {
  return `account-${id}`
}

async function fromAgent(context: Context, record: AccountRecord): Promise<Device | undefined> {
  const { tryAgentDevice } = await import("../keys/agent.ts")
  const text = await tryAgentDevice(context.paths, agentNameOf(record))
  return text === undefined ? undefined : parseDevice(text)
}

async function fromFile(context: Context, record: AccountRecord): Promise<Device> {
  const name = nameOfAccount(record)
  const { text } = await openSecretFile(context, {
    dir: folderOf(context.paths, record),
    file: fileName,
    name,
    unlock: "kez account unlock",
    missing: `Its 24 words make a new device: kez account restore ${name} --replace`,
    forgotten: `Your 24 words make a new device: kez account restore ${name} --replace\n${whatComesBack(context.paths, record)}`,
  })
  return parseDevice(text)
}

/** JSON, as key files of identities are. */
export function formatDevice(device: Device): string {
  const { keys, storeKey } = device
  return `${JSON.stringify({
    type: "kez.device",
    version: 1,
    device: deviceOf(device),
    keys: formatHex(encodeDeviceKeys(keys)),
    store: formatHex(storeKey),
  })}\n`
}

function parseDevice(text: string): Device {
  const value = tryParse(text)
  if (value?.["type"] === "kez.device" && typeof value["version"] === "number" && value["version"] > 1) {
    throw new KezError("store.newer", "Cannot read the key file of the device: a newer kez wrote it")
  }
  const keys = tryParseHex(String(value?.["keys"]), deviceBytes)
  const storeKey = tryParseHex(String(value?.["store"]), 32)
  if (value?.["type"] !== "kez.device" || keys === undefined || storeKey === undefined) throw corrupt()
  const device = { keys: decodeDeviceKeys(keys), storeKey }
  if (deviceOf(device) !== value["device"]) throw corrupt()
  return device
}

function tryParse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    // The cause names a position in a secret text; nothing of it is passed on.
    return undefined
  }
}

function corrupt(): KezError {
  return new KezError("store.corrupt", "Cannot read the key file of the device: its content does not fit together", {
    hint: "Make a new device with kez account restore and your 24 words.",
  })
}

function pathOf(context: Context, record: AccountRecord, isEncrypted: boolean): string {
  return join(folderOf(context.paths, record), `${fileName}.${isEncrypted ? "age" : "key"}`)
}

/** Whether the key file can be read by whoever gets a copy. */
export function isDevicePlain(context: Context, record: AccountRecord): boolean {
  return tryReadFile(pathOf(context, record, false)) !== undefined && !existsSync(pathOf(context, record, true))
}
