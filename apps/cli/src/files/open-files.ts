/** The files part beside an open chat: kez-iroh, its folder, and who is told what becomes of transfers. */
import { randomBytes } from "node:crypto"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { type FilePorts, Files, type TransferListener } from "@kez/chat"
import { createNodeDisk, startIroh } from "@kez/chat/iroh"
import { KezError } from "@kez/core"
import { folderOf } from "../account/records.ts"
import type { OpenChat } from "../chat/open-chat.ts"
import type { Context } from "../context.ts"
import { printable } from "../output.ts"
import { findIroh } from "./find-iroh.ts"

export interface FileOptions {
  readonly relay?: string | undefined
  readonly relayOnly?: boolean | undefined
  /** Bytes a second. */
  readonly limitRate?: string | undefined
}

interface OpenFilesOptions extends FileOptions {
  readonly tell: TransferListener
  readonly listen?: Pick<FilePorts, "onBrowsing" | "onServed">
  /** What was fetched is given to other members: where this stays open. */
  readonly passesOn?: boolean
}

export interface OpenFiles {
  readonly files: Files
  /** Rejects when kez-iroh ends by itself. */
  readonly stopped: Promise<never>
  close(): Promise<void>
}

export async function openFiles(
  context: Context,
  chat: OpenChat,
  { relay, relayOnly, limitRate, tell, passesOn = false, listen = {} }: OpenFilesOptions,
): Promise<OpenFiles> {
  assertFileOptions({ relay, relayOnly, limitRate })
  const folder = join(folderOf(context.paths, chat.account), `files-${chat.account.host}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const disk = createNodeDisk(folder)
  // The mover writes lists there before anything else does.
  mkdirSync(disk.lists, { recursive: true, mode: 0o700 })
  const mover = await startIroh({
    program: findIroh(context),
    data: join(folder, "store"),
    relay: relay === undefined ? "none" : relay === "public" ? "public" : [relay],
    direct: relayOnly !== true,
    // A chat server on this computer is a trial: nothing of it leaves the computer.
    ...(chat.account.host === "localhost" ? { bind: ["127.0.0.1:0"] } : {}),
  })
  let fail: (error: Error) => void = () => undefined
  const stopped = new Promise<never>((_, reject) => {
    fail = reject
  })
  stopped.catch(() => undefined) // whoever waits hears it
  const files = new Files(
    {
      ...{ engine: chat.engine, mover, disk, passesOn, newId: () => randomBytes(32).toString("hex") },
      clock: { now: () => context.now(), after: afterTimer },
      ...(limitRate === undefined ? {} : { maxRate: readRate(limitRate) }),
      ...listen,
      onFault: (error) => fail(error instanceof Error ? error : new Error(String(error))),
    },
    tell,
    (reason) => fail(new KezError("file.program", `Cannot go on: kez-iroh ended: ${reason}`)),
  )
  files.start()
  // Whatever files are moved for, what is shared is given meanwhile.
  void files
    .run(() => files.shares.open())
    .catch((error: unknown) => {
      if (!(error instanceof KezError)) return fail(error instanceof Error ? error : new Error(String(error)))
      context.warn(`what you share is not given now: ${printable(error.message, 300)} [${error.code}]`)
    })
  return { files, stopped, close: () => files.close() }
}

/** For `catch` around a command: where the chat is open, it moves files itself. `typed`: what to type there. */
export function sayWhatToType(error: unknown, typed: string): never {
  if (!(error instanceof KezError) || error.code !== "store.busy" || !error.message.includes(" kez chat (")) throw error
  throw new KezError("store.busy", error.message, { hint: `The open chat does it. Type there: ${typed}`, cause: error })
}

/** Throws `usage`. */
export function assertFileOptions({ relay, relayOnly, limitRate }: FileOptions): void {
  if (relayOnly === true && relay === undefined)
    throw new KezError("usage", "Cannot use a relay alone: expected --relay URL with --relay-only")
  if (limitRate !== undefined) readRate(limitRate)
}

function afterTimer(ms: number, run: () => void): () => void {
  const timer = setTimeout(run, ms).unref()
  return () => clearTimeout(timer)
}

function readRate(text: string): number {
  const rate = Number(text)
  if (Number.isSafeInteger(rate) && rate >= 1_024) return rate
  throw new KezError("usage", "Cannot use that rate: expected a number of bytes a second, at least 1024")
}
