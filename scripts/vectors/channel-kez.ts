/** vectors/channel-kez.json: what a chat server shows for a handle, and what is taken from it. SPEC §7.7. */
import { type Envelope, encodeReference, signEnvelope } from "@kez/core"
import { absent, type ChannelInput, channelCase, found, invalid, unreachable, type WebAnswer } from "./channel-case.ts"
import { alice, mallory, phone } from "./keys.ts"
import type { VectorCase, VectorFile } from "./vector-file.ts"

const host = "chat.example.org"
const value = `alice@${host}`
const url = `https://${host}/v1/handles/alice`
const chain = `sha256:${"ab".repeat(32)}` as const
const token = encodeReference({ chain })
const chainUrl = "https://store.example.org/chain.jsonl"

type Registration = Envelope<"handle_registration">

export async function channelKez(): Promise<VectorFile> {
  const honest = await register({})
  const record = { handle: "alice", host, registration: honest }
  const byDevice = { ...record, registration: await register({ signer: phone }) }
  const { signature } = await register({ signer: mallory })
  const shows = (body: unknown, more: Partial<WebAnswer> = {}): ChannelInput => ({
    value,
    web: [{ url, body, ...more }],
  })
  const asText = (body: string) => shows(body, { headers: { "content-type": "application/json" } })
  const isFound = found(chain, [[token, url]])
  const takes = (id: string, why: string, input: ChannelInput, expect = isFound) => channelCase(id, why, input, expect)
  const refuses = (id: string, why: string, body: unknown, code: string) =>
    channelCase(id, why, shows(body), invalid(code))
  const changed = (payload: object) => ({
    ...record,
    registration: { ...honest, payload: { ...honest.payload, ...payload } },
  })
  return {
    spec: "§7.7",
    about: `What ${url} comes to for kez:${value}. The chain that it names is not looked at here.`,
    cases: [
      takes("record", "a registration for this handle and host", shows(record)),
      takes("device", "signed by another key: only the chain can say whose it is", shows(byDevice)),
      takes("more-members", "members of later versions are ignored", shows({ ...record, since: "2026" })),
      takes(
        "chain-url",
        "a place where the chain lies",
        shows({ ...record, chain_url: chainUrl }),
        found(chain, [[token, url]], [chainUrl]),
      ),
      ...["http://store.example.org/chain", "https://store.example.org/a b", `https://${"a".repeat(2_041)}`, 1].map(
        (chain_url, i) => takes(`chain-url-${i}`, "no https URL as hints are", shows({ ...record, chain_url })),
      ),
      ...statuses(shows),
      takes("other-chain", "the verifier, not the channel, compares with the chain of before", {
        ...shows(record),
        known_account_id: `sha256:${"cd".repeat(32)}`,
      }),
      refuses(
        "other-handle",
        "P6 H10 the owner signed for another handle",
        { ...record, registration: await register({ handle: "alicia" }) },
        "account.one_sided",
      ),
      refuses(
        "other-host",
        "P6 H10 the owner signed for another host",
        { ...record, registration: await register({ host: "chat.example.net" }) },
        "account.one_sided",
      ),
      refuses("record-handle", "the record says that it is another one", { ...record, handle: "bob" }, "account.id"),
      refuses(
        "record-host",
        "the record says that it is of another host",
        { ...record, host: "x.example" },
        "account.id",
      ),
      refuses(
        "no-host",
        "the record does not say whose it is",
        { handle: "alice", registration: honest },
        "account.id",
      ),
      refuses("not-an-object", "a list", [record], "account.id"),
      refuses("no-registration", "nobody signed", { handle: "alice", host }, "schema.missing_member"),
      refuses("null-registration", "nothing stands there", { ...record, registration: null }, "schema.type"),
      refuses(
        "changed",
        "the chain was changed after signing",
        changed({ chain: `sha256:${"cd".repeat(32)}` }),
        "signature.invalid",
      ),
      refuses(
        "signature-of-another",
        "a signature by another key over the same",
        { ...record, registration: { ...honest, signature: { ...signature, key: alice.key } } },
        "signature.invalid",
      ),
      refuses(
        "unknown-member",
        "the schema of a registration is closed",
        changed({ note: "x" }),
        "schema.unknown_member",
      ),
      refuses(
        "other-kind",
        "a handle_release is no registration",
        { ...record, registration: await release() },
        "envelope.kind",
      ),
      refuses(
        "future",
        "dated 301 s ahead of now",
        { ...record, registration: await register({ created_at: "2027-01-15T08:05:01Z" }) },
        "time.future",
      ),
      takes(
        "skew",
        "dated 300 s ahead of now",
        shows({ ...record, registration: await register({ created_at: "2027-01-15T08:05:00Z" }) }),
      ),
      channelCase(
        "duplicate",
        "two readings of one text",
        asText(JSON.stringify(record).replace('"handle":"alice"', '"handle":"bob","handle":"alice"')),
        invalid("json.duplicate"),
      ),
      channelCase(
        "no-json",
        "P12 a page is no answer, whatever it is called",
        asText("<html>"),
        unreachable("net.content_type"),
      ),
      channelCase(
        "redirect",
        "nobody else answers for the names of a host",
        shows(record, { finalUrl: "https://other.example.org/v1/handles/alice" }),
        unreachable("net.redirect"),
      ),
      channelCase(
        "upload",
        "P7 a text that somebody uploaded is no record",
        shows(JSON.stringify(record), { headers: { "content-type": "text/plain" } }),
        unreachable("net.content_type"),
      ),
    ],
  }
}

function statuses(shows: (body: unknown, more: Partial<WebAnswer>) => ChannelInput): readonly VectorCase[] {
  const wait = { headers: { "retry-after": "90" } }
  return [
    channelCase("404", "no such handle", shows({}, { status: 404 }), absent("knows no alice")),
    channelCase(
      "410",
      "released: nobody else can have it",
      shows({}, { status: 410 }),
      absent("given up by its owner"),
    ),
    channelCase("500", "a failure is no answer", shows({}, { status: 500 }), unreachable("net.status")),
    channelCase("429", "neither is being asked to wait", shows({}, { status: 429, ...wait }), {
      ...unreachable("net.rate_limit"),
      retry_after_seconds: 90,
    }),
    channelCase("down", "nor a host that nobody reaches", { value }, unreachable("net.refused")),
  ]
}

interface RegisterOptions {
  readonly handle?: string
  readonly host?: string
  readonly created_at?: string
  readonly signer?: typeof alice
}

function register({ signer = alice, ...change }: RegisterOptions): Promise<Registration> {
  const payload = { handle: "alice", host, primary: alice.key, chain, created_at: "2026-01-01T00:00:00Z", ...change }
  return signEnvelope("handle_registration", { type: "kez.chat.handle_registration", version: 1, ...payload }, signer)
}

function release(): Promise<Envelope<"handle_release">> {
  const payload = { handle: "alice", host, chain, created_at: "2026-01-01T00:00:00Z" }
  return signEnvelope("handle_release", { type: "kez.chat.handle_release", version: 1, ...payload }, alice)
}
