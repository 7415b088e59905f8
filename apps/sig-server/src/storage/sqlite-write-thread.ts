/** What the thread that writes runs: a transaction for each batch of orders that comes, until it is told to close. */
import { parentPort, workerData } from "node:worker_threads"
import { KezError } from "@kez/core"
import type { Outcome } from "./batch-queue.ts"
import { createGroupCommit, type GroupCommit } from "./group-commit.ts"
import { openForWriting, type WriteOptions } from "./sqlite-file.ts"
import { type AnswerMessage, type Failure, type OrderMessage, unpackOrders } from "./sqlite-message.ts"
import { createWrites, KnownError, type WriteOrder, type Written } from "./sqlite-writes.ts"
import { createWriterMark } from "./writer-mark.ts"

export interface WriterOptions extends WriteOptions {
  /** By which those who read know this thread. */
  readonly name: string
}

export type ToWriter = OrderMessage | "close"

if (parentPort !== null) listen(parentPort, workerData)

function listen(port: NonNullable<typeof parentPort>, options: WriterOptions): void {
  let open: ReturnType<typeof openWriter> | undefined
  const answer = (message: AnswerMessage): void => port.postMessage(message)
  port.on("message", (message: ToWriter) => {
    if (message === "close") {
      open?.close()
      port.close()
      return
    }
    const orders = unpackOrders(message)
    try {
      // A file that cannot be opened now may be later.
      open ??= openWriter(options)
      answer(open.write(orders).map(answerOf))
    } catch (error) {
      answer(orders.map(() => answerOf({ error })))
    }
  })
}

function openWriter(options: WriterOptions) {
  const database = openForWriting(options)
  const { carryOut, begin, finish } = createWrites(database)
  const commitTogether: GroupCommit = createGroupCommit({
    database,
    path: options.path,
    mark: createWriterMark(database, options.name),
    begin,
    finish,
  })
  return {
    write: (orders: readonly WriteOrder[]) => commitTogether(orders.map((order) => () => carryOut(order))),
    close: () => database.close(),
  }
}

function answerOf(outcome: Outcome<Written>): Written | Failure {
  if ("value" in outcome) return outcome.value
  const { error } = outcome
  if (error instanceof KnownError) return undefined
  if (error instanceof KezError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: undefined, message: error instanceof Error ? error.message : String(error), hint: undefined }
}
