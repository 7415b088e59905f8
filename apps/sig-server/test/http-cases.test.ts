/** G4 over HTTP: an event gets the code that the library gives, in a problem, with a status that fits it. SPEC STORE-4, STORE-8 */
import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { type Code, decodeEnvelope, envelopeDigest, formatEnvelope } from "@kez/core"
import { makeApp, post, problemOf, usualConfig } from "./support/test-app.ts"

interface Case {
  readonly id: string
  readonly why: string
  readonly code?: Code
  readonly events: readonly string[]
}

function casesOf(file: string): readonly Case[] {
  const path = join(import.meta.dirname, "..", "..", "..", "vectors", file)
  const { cases }: { readonly cases: readonly Case[] } = JSON.parse(readFileSync(path, "utf8"))
  return cases
}

const off = { burst: 0, perHour: 0 }
const unlimited = { writes: { ...usualConfig.writes, chain: off, ip: off, genesis: off } }

for (const { id, why, code, events } of casesOf("sigchain-replay.json")) {
  test(`G4 sigchain-replay ${id} over HTTP: ${why}`, async () => {
    const { http } = makeApp(unlimited)
    const envelopes = events.map((text) => decodeEnvelope(text, "sigchain_event"))
    const [first] = envelopes
    const path = `/v1/chains/${envelopeDigest(first ?? assert.fail())}/events`
    for (const [i, envelope] of envelopes.entries()) {
      const answer = await post(http, path, formatEnvelope(envelope))
      if (i < events.length - 1 || code === undefined) assert.equal(answer.statusCode, 201, answer.body)
      else {
        assert.equal(problemOf(answer).code, code)
        const isAboutPlace = ["chain.gap", "chain.repeat", "chain.prev"].includes(code)
        assert.equal(answer.statusCode, isAboutPlace ? 409 : 422)
      }
    }
  })
}

for (const { id, why, events } of casesOf("sigchain-forks.json")) {
  test(`G4 C19 sigchain-forks ${id} over HTTP: ${why}: nothing valid is lost`, async () => {
    const { http } = makeApp(unlimited)
    const envelopes = events.map((text) => decodeEnvelope(text, "sigchain_event"))
    const chain = envelopeDigest(envelopes[0] ?? assert.fail())
    const kept = new Set<string>()
    for (const envelope of envelopes) {
      const text = formatEnvelope(envelope)
      const answer = await post(http, `/v1/chains/${chain}/events`, text)
      if (answer.statusCode < 300 || problemOf(answer).kept === true) kept.add(text)
    }
    const document = await http.inject({ url: `/v1/chains/${chain}` })
    const forks = await http.inject({ url: `/v1/chains/${chain}/forks` })
    const served = `${document.body}${forks.body}`.trimEnd().split("\n")
    assert.deepEqual(served.toSorted(), [...kept].sort())
    assert.equal(document.headers["kez-forks"], String(forks.body === "" ? 0 : forks.body.trimEnd().split("\n").length))
  })
}
