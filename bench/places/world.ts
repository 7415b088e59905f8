/** People with one account each, and all the places that a check of those accounts asks, on loopback and 50 ms away. */
import {
  appendEvent,
  createSigner,
  type Digest,
  encodeProof,
  encodeReference,
  formatChain,
  formatHex,
  publicKeyBytes,
  type Signer,
  sha256,
  signClaim,
  signEnvelope,
} from "@kez/core"
import { signEvent } from "../../packages/channels/src/nostr-event.ts"
import { startDnsServer, txt } from "../../packages/channels/test/support/dns-server.ts"
import { startGithubServer } from "../../test/support/github-server.ts"
import type { GithubGist, GithubUser } from "../../test/support/github-shapes.ts"
import { type CannedHost, type Relay, startHost, startRelay, type Visits } from "./host.ts"

/** Everything that the command is given. */
export interface World {
  readonly subjects: readonly string[]
  /** `[hosts]` of config.toml. */
  readonly hosts: Readonly<Record<string, string>>
  readonly relays: readonly string[]
  readonly resolver: string
  readonly githubToken: string
}

export interface Counts {
  readonly hosts: readonly Visits[]
  /** Apart: the two places at a host are for requests, and DNS has its own ways of not being flooded. */
  readonly dns: Visits
}

interface Builder {
  readonly createdAt: number
  readonly latencyMs: number
  readonly subjects: string[]
  readonly hosts: Record<string, string>
  readonly visits: Visits[]
  /** Name to TXT records. */
  readonly zone: Map<string, readonly string[]>
  open(host: string): Promise<CannedHost>
}

const githubToken = "token-of-the-benchmark"
/** The usual number of them. */
const relayCount = 4
/** Servers of one kind: nobody's people are all at one. */
const spread = 3
const json = "application/json"

/** Opens the places of `count` people, a sixth of them in each channel. */
export async function startWorld(
  count: number,
  latencyMs: number,
): Promise<World & { readCounts(): Counts; forgetCounts(): void }> {
  const builder = createBuilder(latencyMs)
  // What the sixth part leaves over goes to the places with the most requests for one person.
  const sixth = (place: number) => Array.from({ length: Math.floor((count + 5 - place) / 6) }, (_, i) => i)
  const relays = await addNostr(builder, sixth(0))
  const github = await addGithub(builder, sixth(1))
  for (const i of sixth(2)) await addDomain(builder, i)
  await addBluesky(builder, sixth(3))
  await addFediverse(builder, sixth(4))
  await addChatServer(builder, sixth(5))
  const dns = await startDnsServer(
    ({ name, type }) => {
      const records = type === "TXT" ? builder.zone.get(name) : undefined
      return records === undefined ? { rcode: "NXDOMAIN" } : { answers: records.map((text) => txt(name, ...cut(text))) }
    },
    { latencyMs },
  )
  return {
    subjects: builder.subjects,
    hosts: builder.hosts,
    relays,
    resolver: dns.address,
    githubToken,
    readCounts: () => ({
      hosts: [...builder.visits, ...github.read()],
      dns: { host: "DNS", requests: dns.questions.length, mostAtOnce: dns.mostAtOnce },
    }),
    forgetCounts() {
      for (const visits of builder.visits) Object.assign(visits, { requests: 0, mostAtOnce: 0 })
      github.forget()
      dns.forgetQuestions()
    },
  }
}

function createBuilder(latencyMs: number): Builder {
  const hosts: Record<string, string> = {}
  const visits: Visits[] = []
  return {
    createdAt: Math.floor(Date.now() / 1000) - 3_600,
    latencyMs,
    subjects: [],
    hosts,
    visits,
    zone: new Map(),
    async open(host) {
      const opened = await startHost(host, latencyMs)
      hosts[host] = opened.origin
      visits.push(opened.visits)
      return opened
    },
  }
}

/** A claim in DNS. The domain has no web server, so the look for its chain ends at the DNS server. */
async function addDomain({ createdAt, subjects, zone }: Builder, i: number): Promise<void> {
  const subject = `dns:person-${i}.bench`
  zone.set(`_kez.person-${i}.bench`, [encodeProof(await signClaim({ subject, createdAt }, keyOf(subject)), "compact")])
  subjects.push(subject)
}

async function addGithub({ createdAt, latencyMs, subjects, hosts }: Builder, people: readonly number[]) {
  const users: GithubUser[] = []
  const gists: GithubGist[] = []
  for (const i of people) {
    const login = `person-${i}`
    const subject = `github:${login}`
    const claim = encodeProof(await signClaim({ subject, createdAt }, keyOf(subject)), "markdown")
    users.push({ id: 1_000 + i, login })
    gists.push({ id: formatHex(sha256(Buffer.from(login))).slice(0, 32), owner: 1_000 + i, files: { "kez.md": claim } })
    subjects.push(subject)
  }
  const server = await startGithubServer({ users, gists, latencyMs, tokens: { [githubToken]: { user: 1_000 } } })
  Object.assign(hosts, server.hosts)
  const visitsOf = (host: "api" | "raw", name: string): Visits => ({
    host: name,
    requests: server.asked.filter((asked) => asked.host === host).length,
    mostAtOnce: server.mostAtOnce,
  })
  return {
    read: () => [visitsOf("api", "api.github.com"), visitsOf("raw", "gist.githubusercontent.com")],
    forget: () => server.forgetRequests(),
  }
}

/** A claim in the application data of each key, at every relay. */
async function addNostr(builder: Builder, people: readonly number[]): Promise<readonly string[]> {
  const { createdAt, latencyMs, subjects, visits } = builder
  const relays: Relay[] = []
  for (let i = 0; i < relayCount; i += 1) relays.push(await startRelay(`relay ${i + 1}`, latencyMs))
  visits.push(...relays.map((relay) => relay.visits))
  for (const i of people) {
    const account = createSigner("nostr", sha256(Buffer.from(`nostr person ${i}`)))
    const value = account.key.slice("nostr:".length)
    const pubkey = formatHex(publicKeyBytes({ system: "nostr", value }))
    const claim = await signClaim({ subject: account.key, createdAt }, keyOf(account.key))
    const content = encodeProof(claim, "compact")
    const unsigned = { pubkey, created_at: createdAt, kind: 30_078, tags: [["d", "kez"]], content }
    const event = await signEvent(unsigned, account.sign)
    for (const { events } of relays) events.set(pubkey, event)
    subjects.push(account.key)
  }
  return relays.map(({ url }) => url)
}

/** Half of the handles lead to their DID by DNS, half by a file at a host of their own; references stand in the profiles. */
async function addBluesky(builder: Builder, people: readonly number[]): Promise<void> {
  const { subjects, zone } = builder
  const directory = await builder.open("plc.directory")
  const servers = await openSome(builder, "pds")
  const store = await builder.open("chains-1.bench")
  for (const i of people) {
    const handle = `sky-${i}.bench`
    const subject = `bluesky:${handle}`
    const did = `did:plc:${formatHex(sha256(Buffer.from(handle)))
      .replaceAll(/[0189]/g, "z")
      .slice(0, 24)}`
    const pds = pick(servers, i)
    if (i % 2 === 0) zone.set(`_atproto.${handle}`, [`did=${did}`])
    else (await builder.open(handle)).pages.set("/.well-known/atproto-did", { type: "text/plain", body: did })
    const { proof } = await publishChain(store, subject, builder)
    const service = { id: "#atproto_pds", type: "AtprotoPersonalDataServer", serviceEndpoint: `https://${pds.name}` }
    directory.pages.set(`/${did}`, page({ id: did, alsoKnownAs: [`at://${handle}`], service: [service] }))
    const profile = `app.bsky.actor.profile`
    pds.host.pages.set(
      `/xrpc/com.atproto.repo.getRecord?repo=${encodeURIComponent(did)}&collection=${profile}&rkey=self`,
      page({ uri: `at://${did}/${profile}/self`, value: { $type: profile, description: proof } }),
    )
    pds.host.pages.set(
      `/xrpc/com.atproto.repo.listRecords?repo=${encodeURIComponent(did)}&collection=app.bsky.feed.post&limit=50`,
      page({ records: Array.from({ length: 20 }, (_, post) => postOf(did, post)) }),
    )
    subjects.push(subject)
  }
}

function postOf(did: string, post: number): object {
  const uri = `at://${did}/app.bsky.feed.post/3l${String(post).padStart(11, "a")}`
  const text = `An ordinary post, the one of number ${post}, as long as people write them on most days.`
  return { uri, value: { $type: "app.bsky.feed.post", text, createdAt: "2026-01-01T00:00:00.000Z" } }
}

/** References in the bios of accounts at servers that answer as Mastodon does. */
async function addFediverse(builder: Builder, people: readonly number[]): Promise<void> {
  const servers = await openSome(builder, "social")
  const store = await builder.open("chains-2.bench")
  for (const i of people) {
    const { host, name } = pick(servers, i)
    const account = `person-${i}@${name}`
    const id = `https://${name}/users/person-${i}`
    const { proof } = await publishChain(store, `ap:${account}`, builder)
    const self = { rel: "self", type: "application/activity+json", href: id }
    host.pages.set(
      `/.well-known/webfinger?resource=${encodeURIComponent(`acct:${account}`)}`,
      page({ subject: `acct:${account}`, links: [self] }, "application/jrd+json"),
    )
    const summary = `<p>${proof.replaceAll("\n", "<br>")}</p>`
    const actor = { id, type: "Person", preferredUsername: `person-${i}`, summary, featured: `${id}/featured` }
    host.pages.set(`/users/person-${i}`, page(actor, "application/activity+json; charset=utf-8"))
    builder.subjects.push(`ap:${account}`)
  }
}

/** Registrations, each naming a chain that names the handle. */
async function addChatServer(builder: Builder, people: readonly number[]): Promise<void> {
  const host = "chat.bench"
  const server = await builder.open(host)
  const store = await builder.open("chains-3.bench")
  for (const i of people) {
    const handle = `person-${i}`
    const subject = `kez:${handle}@${host}`
    const { chain, url } = await publishChain(store, subject, builder)
    const signer = keyOf(subject)
    const registration = await signEnvelope(
      "handle_registration",
      {
        type: "kez.chat.handle_registration",
        version: 1,
        handle,
        host,
        primary: signer.key,
        chain,
        created_at: "2026-01-01T00:00:00Z",
      },
      signer,
    )
    server.pages.set(`/v1/handles/${handle}`, page({ handle, host, registration, chain_url: url }))
    builder.subjects.push(subject)
  }
}

/** A chain that lists the account, and the text for a profile that leads to it. */
async function publishChain(
  store: CannedHost,
  subject: string,
  { createdAt }: Builder,
): Promise<{ readonly chain: Digest; readonly url: string; readonly proof: string }> {
  const request = { chain: undefined, operation: { op: "add", subject }, now: createdAt } as const
  const { chain, path } = (await appendEvent(request, keyOf(subject))).replay
  const file = `/${chain.slice("sha256:".length)}.jsonl`
  store.pages.set(file, { type: "application/jsonl", body: formatChain(path) })
  const url = `https://${store.visits.host}${file}`
  return { chain, url, proof: `${encodeReference({ chain })}\nChain: ${url}` }
}

/** Every person has a key of his own. */
function keyOf(subject: string): Signer {
  return createSigner("ed25519", sha256(Buffer.from(`key of ${subject}`)))
}

async function openSome(builder: Builder, kind: string) {
  const some: { readonly name: string; readonly host: CannedHost }[] = []
  for (let i = 1; i <= spread; i += 1) {
    const name = `${kind}-${i}.bench`
    some.push({ name, host: await builder.open(name) })
  }
  return some
}

function pick<T>(some: readonly T[], i: number): T {
  const one = some[i % some.length]
  if (one === undefined) throw new Error("no server was opened")
  return one
}

function page(value: object, type = json) {
  return { type, body: JSON.stringify(value) }
}

/** A TXT record is made of texts of at most 255 bytes. */
function cut(text: string): readonly string[] {
  return text.match(/.{1,255}/g) ?? []
}
