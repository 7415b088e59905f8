/** A network made of a table: for unit tests of channels, without sockets and without a clock. */
import type { Net, TxtAnswer } from "../../src/index.ts"

/** What a name answers: its records, a status of nothing, or an error to throw. */
export type FakeTxt = readonly string[] | "no_data" | "no_name" | Error

export interface FakeNet extends Net {
  readonly asked: readonly string[]
}

/** Names that are not in the table do not exist. */
export function createFakeNet(txt: Readonly<Record<string, FakeTxt>>): FakeNet {
  const asked: string[] = []
  return {
    asked,
    now: () => 1_800_000_000,
    fetch: () => Promise.reject(new Error("no web in this test")),
    openSocket: () => Promise.reject(new Error("no relay in this test")),
    openStream: () => Promise.reject(new Error("no stream in this test")),
    settings: { relays: [] },
    async resolveTxt(name): Promise<TxtAnswer> {
      asked.push(name)
      const answer = txt[name] ?? "no_name"
      if (answer instanceof Error) throw answer
      if (typeof answer === "string") return { status: answer, records: [], server: "fake" }
      return { status: "found", records: answer, server: "fake" }
    },
  }
}
