/** Domains on a DNS server on loopback: found, lost, broken, silent. SPEC §7.1, VER-12 */
import assert from "node:assert/strict"
import { type DnsReply, txt } from "../../packages/channels/test/support/dns-server.ts"
import { bothSay, Places, readers, said } from "./places.ts"
import { bothWays, type Direction, type Scenario } from "./scenario.ts"
import type { Tool } from "./tool.ts"

const txtOf = (label: string, text: string): Readonly<Record<string, DnsReply>> => {
  const name = `_kez.${label}.example`
  return { [name]: { answers: [txt(name, ...(text.match(/.{1,255}/g) ?? []))] } }
}

/** The same with a record that says where the chain lies. */
const hinted = (label: string, text: string): Readonly<Record<string, DnsReply>> => {
  const name = `_kez.${label}.example`
  const record = Object.values(txtOf(label, text)).flatMap(({ answers }) => answers ?? [])
  return { [name]: { answers: [...record, txt(name, "Chain: https://nowhere.example/chain")] } }
}

/** Domains in one question, each with its own state: found, absent, broken, silent. */
async function domains({ maker, checker }: Direction): Promise<void> {
  const compact = async (subject: string) =>
    (await maker.data(["--identity", "alice", "claim", "create", subject, "--format", "compact", "-q"])).text.trim()
  const places = await Places.open({
    ...txtOf("a", await compact("dns:a.example")),
    "_kez.b.example": "silent",
    "_kez.c.example": { rcode: "SERVFAIL" },
    ...txtOf("d", "v=spf1 -all"),
    ...txtOf("e", await compact("dns:a.example")),
    ...hinted("f", await compact("dns:f.example")),
    ...hinted("g", await compact("dns:a.example")),
    ...txtOf("h", `${await compact("dns:h.example")}é`),
  })
  try {
    const look =
      (...names: readonly string[]) =>
      (_: Tool) => ["verify", "id", ...names.map((name) => `dns:${name}.example`), "--timeout", "2", ...places.net]
    const tools = readers({ maker, checker, show: () => {} })
    assert.deepEqual(said(await bothSay(tools, look("a"))), [0, "valid", null])
    assert.deepEqual(said(await bothSay(tools, look("b"))), [5, "unreachable", "net.timeout"])
    assert.deepEqual(said(await bothSay(tools, look("c"))), [5, "unreachable", "net.dns"])
    assert.deepEqual(said(await bothSay(tools, look("d"))), [14, "invalid", "proof.not_found"])
    assert.deepEqual(said(await bothSay(tools, look("e"))), [10, "invalid", "proof.subject_mismatch"])
    // A hint counts beside a right proof of the domain alone; nobody answers at this one. FIND-4
    assert.deepEqual(said(await bothSay(tools, look("f"))), [5, "unreachable", "chain.unreachable"])
    assert.deepEqual(said(await bothSay(tools, look("g"))), [10, "invalid", "proof.subject_mismatch"])
    assert.deepEqual(said(await bothSay(tools, look("h"))), [10, "invalid", "encoding.base64url"])
    // One that does not answer keeps no other from being judged.
    const [mine, theirs] = await Promise.all(tools.map((tool) => tool.json(look("a", "b", "d")(tool))))
    const verdicts = (answer: typeof mine) => [
      answer?.code,
      answer?.data.verdicts.map(({ status, reason }) => [status, reason]),
    ]
    assert.deepEqual(verdicts(theirs), verdicts(mine))
    assert.deepEqual(
      mine?.data.verdicts.map(({ status }) => status),
      ["valid", "unreachable", "invalid"],
    )
  } finally {
    await places.close()
  }
}

export const domainScenarios: readonly Scenario[] = bothWays("domains that are found, lost, broken and silent", domains)
