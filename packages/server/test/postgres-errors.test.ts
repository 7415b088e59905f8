/** Failures of PostgreSQL as codes of the store. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { DatabaseError } from "pg"
import { explainPostgres } from "../src/postgres-errors.ts"

function codeOf(error: unknown): unknown {
  const explained = explainPostgres(error)
  return explained instanceof Error && "code" in explained ? explained.code : undefined
}

function fromServer(code: string): DatabaseError {
  return Object.assign(new DatabaseError("as the server says", 0, "error"), { code })
}

const states: Readonly<Record<string, string>> = {
  "53100": "store.full",
  "53300": "store.busy",
  "57014": "store.busy",
  "57P01": "store.busy",
  "08006": "store.busy",
  "40001": "store.busy",
  "55P03": "store.busy",
  "25006": "store.write",
  "42501": "store.write",
  "28P01": "store.write",
  "3D000": "store.write",
  XX001: "store.corrupt",
}

for (const [state, code] of Object.entries(states)) {
  test(`explainPostgres() reads SQLSTATE ${state} as ${code}`, () => assert.equal(codeOf(fromServer(state)), code))
}

test("explainPostgres() reads a lost connection and a time limit as store.busy", () => {
  const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" })
  const lost = ["Connection terminated unexpectedly", "Query read timeout", "timeout exceeded when trying to connect"]
  for (const error of [refused, new AggregateError([refused]), ...lost.map((message) => new Error(message))]) {
    assert.equal(codeOf(error), "store.busy", error.message)
  }
})

test("explainPostgres() leaves defects of the program as they are", () => {
  for (const error of [fromServer("42601"), fromServer("23505"), new TypeError("not a function"), "text"]) {
    assert.equal(explainPostgres(error), error)
  }
})
