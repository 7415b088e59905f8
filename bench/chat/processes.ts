/** Processes of the chat's bench: each does what it is told by a message, and answers with one. */
import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { join } from "node:path"

export interface Worker<Order> {
  ask(order: Order): Promise<Told>
  end(): void
}

/** Nanoseconds of the machine's steady clock, which processes share. */
export interface Told {
  readonly atNs?: bigint
  /** When each message was there, in their order. */
  readonly timesNs?: readonly bigint[]
  readonly failed?: string
}

/** For whoever looks for the cause of a figure: NODE_OPTIONS=--cpu-prof. */
export function startWorker<Order extends object>(file: string): Worker<Order> {
  const child = fork(join(import.meta.dirname, file), { serialization: "advanced" })
  return {
    ask: (order) => ask(child, order),
    end: () => {
      if (child.connected) child.disconnect()
    },
  }
}

/** Answers are told apart by a number: one may be waited for while another is asked. */
let asked = 0

async function ask(child: ChildProcess, order: object): Promise<Told> {
  const number = asked++
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error("a process of the bench ended"))
    const listen = ({ of, told }: { readonly of: number; readonly told: Told }): void => {
      if (of !== number) return
      child.off("message", listen)
      child.off("exit", ended)
      if (told.failed === undefined) resolve(told)
      else reject(new Error(told.failed))
    }
    child.on("message", listen)
    child.once("exit", ended)
    child.send({ number, order })
  })
}

/** In the process itself. */
export function answerBy<Order>(obey: (order: Order) => Promise<Told>, end: () => Promise<void>): void {
  process.on("message", ({ number, order }: { readonly number: number; readonly order: Order }) => {
    obey(order).then(
      (told) => process.send?.({ of: number, told }),
      (error: unknown) => process.send?.({ of: number, told: { failed: String(error) } satisfies Told }),
    )
  })
  void once(process, "disconnect").then(async () => {
    await end()
    process.exit(0)
  })
}

/** Counts what arrives, and tells when there is so much. */
export class Arrivals {
  readonly #timesNs: bigint[] = []
  #waiting: (() => void)[] = []

  note(): void {
    this.#timesNs.push(process.hrtime.bigint())
    const waiting = this.#waiting
    this.#waiting = []
    for (const go of waiting) go()
  }

  /** Resolves when there are so many in all, with the times of the last `last`. */
  async until(total: number, last: number): Promise<Told> {
    while (this.#timesNs.length < total) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return { timesNs: this.#timesNs.slice(total - last, total) }
  }
}
