/**
 * The thread that writes, as the rest of the store sees it. While it waits for the disk, events are judged and chains are read; what
 * is to be written meanwhile gathers, and shares the next transaction. No timer: a lone write is never delayed.
 */

import { Worker } from "node:worker_threads"
import { KezError } from "@kez/core"
import { writeFault } from "@kez/server/sqlite-fault"
import { maxWritesPerCommit, writerYoungMb } from "../limits.ts"
import { BatchQueue, type Outcome } from "./batch-queue.ts"
import type { WriteOptions } from "./sqlite-file.ts"
import { type AnswerMessage, type Failure, packOrders } from "./sqlite-message.ts"
import type { ToWriter } from "./sqlite-write-thread.ts"
import type { WriteOrder, Written } from "./sqlite-writes.ts"
import { nameWriter } from "./writer-mark.ts"

export class SqliteWriter {
  readonly name = nameWriter()
  readonly #options: WriteOptions
  readonly #queue = new BatchQueue((orders: readonly WriteOrder[]) => this.#write(orders), maxWritesPerCommit)
  #worker: Worker | undefined
  #isClosed = false
  #losses = 0

  constructor(options: WriteOptions) {
    this.#options = options
  }

  /** How often the thread ended with orders of which nobody knows whether they were carried out. */
  get losses(): number {
    return this.#losses
  }

  /** Resolves after COMMIT, so that the write survives a power cut. What one order throws undoes that order alone. */
  run(order: WriteOrder): Promise<Written> {
    if (!this.#isClosed) return this.#queue.add(order)
    return Promise.reject(new KezError("store.write", "Cannot write to the store: it is closed"))
  }

  /** Commits what still waits; later work is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#queue.idle()
    const worker = this.#worker
    this.#worker = undefined
    if (worker === undefined) return
    const ended = new Promise<void>((resolve) => worker.once("exit", () => resolve()))
    worker.ref()
    post(worker, "close")
    await ended
  }

  async #write(orders: readonly WriteOrder[]): Promise<readonly Outcome<Written>[]> {
    // Who never writes needs no thread. One that died is replaced.
    this.#worker ??= this.#start()
    const worker = this.#worker
    // While it has nothing to do it does not keep the process alive.
    worker.ref()
    try {
      const answers = await answersOf(worker, orders)
      return answers.map(outcomeOf)
    } catch (error) {
      this.#worker = undefined
      this.#losses += 1
      throw writeFault(this.#options.path, error)
    } finally {
      worker.unref()
    }
  }

  #start(): Worker {
    const worker = new Worker(new URL("./sqlite-write-thread.ts", import.meta.url), {
      workerData: { ...this.#options, name: this.name },
      resourceLimits: { maxYoungGenerationSizeMb: writerYoungMb },
    })
    // Whoever waits for an answer is told; without a listener of its own an error would end the process.
    worker.on("error", () => undefined)
    return worker
  }
}

/** Rejects when the thread ends before it answers: whether the orders were carried out is not known then. */
function answersOf(worker: Worker, orders: readonly WriteOrder[]): Promise<AnswerMessage> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      worker.off("message", onMessage)
      worker.off("error", onError)
      worker.off("exit", onExit)
    }
    const onMessage = (answers: AnswerMessage): void => {
      settle()
      resolve(answers)
    }
    const onError = (error: unknown): void => {
      settle()
      reject(error)
    }
    const onExit = (): void => onError(new Error("the thread that writes has ended"))
    worker.on("message", onMessage)
    worker.on("error", onError)
    worker.on("exit", onExit)
    post(worker, packOrders(orders))
  })
}

function post(worker: Worker, message: ToWriter): void {
  worker.postMessage(message)
}

function outcomeOf(answer: Written | Failure): Outcome<Written> {
  if (typeof answer !== "object") return { value: answer }
  const { code, message, hint } = answer
  const error =
    code === undefined ? new Error(message) : new KezError(code, message, hint === undefined ? {} : { hint })
  return { error }
}
