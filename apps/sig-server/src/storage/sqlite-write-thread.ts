/** What the thread that writes runs: a transaction for each batch of orders that comes, until it is told to close. */
import { parentPort, workerData } from "node:worker_threads"
import { KezError } from "@kez/core"
import { createGroupCommit, type GroupCommit, type Outcome } from "./group-commit.ts"
import { openForWriting, type WriteOptions } from "./sqlite-file.ts"
import { createWrites, type WriteOrder, type Written } from "./sqlite-writes.ts"
import { createWriterMark } from "./writer-mark.ts"

export interface WriterOptions extends WriteOptions {
  /** By which those who read know this thread. */
  readonly name: string
}

export type ToWriter = readonly WriteOrder[] | "close"

/** Errors lose their class and their members at the border of threads: what counts of them is sent by hand. */
export type Answer =
  | { readonly value: Written }
  | { readonly code: KezError["code"] | undefined; readonly message: string; readonly hint: string | undefined }

if (parentPort !== null) listen(parentPort, workerData)

function listen(port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  let open: ReturnType<typeof openWriter> | undefined
  port.on("message", (message: ToWriter) => {
    if (message === "close") {
      open?.close()
      port.close()
      return
    }
    try {
      // A file that cannot be opened now may be later.
      open ??= openWriter(options)
      port.postMessage(open.write(message).map(answerOf))
    } catch (error) {
      port.postMessage(message.map(() => answerOf({ error })))
    }
  })
}

function openWriter(options: WriterOptions) {
  const database = openForWriting(options)
  const commitTogether: GroupCommit = createGroupCommit({
    database,
    path: options.path,
    mark: createWriterMark(database, options.name),
  })
  const carryOut = createWrites(database)
  return {
    write: (orders: readonly WriteOrder[]) => commitTogether(orders.map((order) => () => carryOut(order))),
    close: () => database.close(),
  }
}

function answerOf(outcome: Outcome<Written>): Answer {
  if ("value" in outcome) return outcome
  const { error } = outcome
  if (error instanceof KezError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: undefined, message: error instanceof Error ? error.message : String(error), hint: undefined }
}
