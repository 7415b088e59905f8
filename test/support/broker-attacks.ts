/** What Alice tries against Bob on the broker: every way to hear, read, write or administer that NATS has. One row an attempt. */
import { conversationOf } from "@kez/broker"
import { headers, type Msg } from "@nats-io/transport-node"
import { type Attacker, canary, conversation, type Outcome, type World } from "./broker-world.ts"

/** Where the attempt would succeed if it were not for permissions: the accounts are the other half of the walls. */
export type Account = "CHAT" | "STORE" | "SYS" | "AUTH"

export interface Attack {
  readonly name: string
  readonly control: Account
  readonly run: (attacker: Attacker, world: World) => Promise<Outcome>
}

const device = ({ uid, dev }: World["bob"]): string => `${uid}.${dev}`

/** Subjects to listen on, by the account in which something would be heard. */
const heard: ReadonlyArray<readonly [account: Account, subject: (world: World) => string]> = [
  ["CHAT", () => ">"],
  ["CHAT", () => "*.>"],
  ["CHAT", () => "live.>"],
  ["CHAT", () => "live.*.*"],
  ["CHAT", ({ bob }) => `live.${bob.uid}.>`],
  ["CHAT", ({ bob }) => `live.${bob.uid}.typing`],
  ["CHAT", () => "_INBOX.>"],
  ["CHAT", () => "_INBOX.*.>"],
  ["CHAT", ({ bob }) => `_INBOX.${bob.uid}.>`],
  ["CHAT", ({ bob }) => `_INBOX.${device(bob)}.>`],
  ["CHAT", ({ bob }) => `_INBOX.*.${bob.dev}.>`],
  ["CHAT", () => "cmd.>"],
  ["CHAT", () => "cmd.*.*.send"],
  ["CHAT", ({ bob }) => `cmd.${bob.uid}.>`],
  ["CHAT", ({ bob }) => `cmd.${device(bob)}.send`],
  ["STORE", () => "mbx.>"],
  ["STORE", ({ mailbox }) => mailbox.subject],
  ["STORE", () => "conv.>"],
  ["STORE", () => conversationOf(conversation).messages.subject],
  ["STORE", () => "$JS.>"],
  ["STORE", () => "$JS.API.>"],
  ["STORE", () => "$JS.API.STREAM.INFO.*"],
  ["STORE", () => "$JS.EVENT.>"],
  ["SYS", () => "$SYS.>"],
  ["SYS", () => "$SYS.REQ.>"],
  ["AUTH", () => "$SYS.REQ.USER.AUTH"],
]

const listening: readonly Attack[] = heard.flatMap(([control, subject]) =>
  (["SUB", "QSUB"] as const).map((verb) => ({
    name: `${verb} ${label(subject)}`,
    control,
    run: (attacker: Attacker, world: World) =>
      attacker.listen(subject(world), {
        // A queue group with the name of the real one would take messages from it.
        ...(verb === "QSUB" ? { queue: control === "AUTH" ? "others" : "chat-attack" } : {}),
        during: world.traffic,
      }),
  })),
)

/** Messages to subjects of others; `reaches` tells whether one got through. */
const published: ReadonlyArray<readonly [name: string, control: Account, subject: (world: World) => string]> = [
  ["Bob's live subject, as the server", "CHAT", ({ bob }) => `live.${bob.uid}.typing`],
  ["Bob's inbox", "CHAT", ({ bob }) => `_INBOX.${device(bob)}.watched.1`],
  ["a command as Bob", "CHAT", ({ bob }) => `cmd.${device(bob)}.send`],
  ["a session of Bob", "CHAT", ({ bob }) => `cmd.${device(bob)}.session`],
  ["a command as Bob's other device", "CHAT", ({ bob, alice }) => `cmd.${bob.uid}.${alice.dev}.send`],
  ["a command of nobody", "CHAT", () => "cmd.other.other.send"],
]

const publishing: readonly Attack[] = published.flatMap(([name, control, subject]) => [
  { name: `PUB ${name}`, control, run: (attacker, world) => reaches(attacker, world, { subject: subject(world) }) },
  {
    name: `PUB ${name}, with a trace that goes on to it`,
    control,
    run: (attacker, world) => {
      const traced = headers()
      traced.set("Nats-Trace-Dest", subject(world))
      const own =
        control === "CHAT" && attacker.inbox.includes(world.alice.uid) ? `cmd.${device(world.alice)}.send` : "cmd.x.y.z"
      return reaches(attacker, world, { subject: own, headers: traced })
    },
  },
])

async function reaches(
  attacker: Attacker,
  world: World,
  { subject, ...options }: { readonly subject: string; readonly headers?: ReturnType<typeof headers> },
): Promise<Outcome> {
  const isRefused = await attacker.publish(subject, canary, options)
  for (let waited = 0; world.reached.length === 0 && waited < (isRefused ? 1 : 10); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  if (world.reached.length > 0) return "worked"
  return isRefused ? "refused" : "nothing"
}

/** Writes into streams: with a wrong id, a rollup, an expectation. */
const written: readonly Attack[] = [
  ["Bob's mailbox", (world: World) => world.mailbox.subject],
  ["a conversation", () => conversationOf(conversation).messages.subject],
  ["a conversation's commits", () => conversationOf(conversation).commits.subject],
].map(([name, subject]) => ({
  name: `PUB ${name as string}`,
  control: "STORE",
  run: (attacker, world) =>
    answers(attacker, (subject as (world: World) => string)(world), {
      payload: canary,
      isRight: (text) => text.includes('"seq"'),
    }),
}))

/** Requests of the JetStream API: name, subject, payload, and what a right answer holds. */
const api: ReadonlyArray<
  readonly [
    name: string,
    subject: (world: World) => string,
    payload?: (world: World) => object | string,
    right?: string,
  ]
> = [
  ["STREAM.MSG.GET by sequence", ({ mailbox }) => `STREAM.MSG.GET.${mailbox.stream}`, () => ({ seq: 1 }), '"message"'],
  [
    "STREAM.MSG.GET, last of a subject",
    ({ mailbox }) => `STREAM.MSG.GET.${mailbox.stream}`,
    ({ mailbox }) => ({ last_by_subj: mailbox.subject }),
    '"message"',
  ],
  [
    "STREAM.MSG.GET, next of all subjects",
    ({ mailbox }) => `STREAM.MSG.GET.${mailbox.stream}`,
    () => ({ seq: 1, next_by_subj: ">" }),
    '"message"',
  ],
  [
    "DIRECT.GET by sequence",
    () => `DIRECT.GET.${conversationOf(conversation).messages.stream}`,
    () => ({ seq: 1 }),
    canary,
  ],
  [
    "DIRECT.GET in batches",
    () => `DIRECT.GET.${conversationOf(conversation).messages.stream}`,
    () => ({ seq: 1, batch: 10 }),
    canary,
  ],
  [
    "DIRECT.GET of many subjects",
    () => `DIRECT.GET.${conversationOf(conversation).messages.stream}`,
    () => ({ multi_last: ["conv.>"] }),
    canary,
  ],
  [
    "DIRECT.GET with the subject in the request's",
    () => `DIRECT.GET.${conversationOf(conversation).messages.stream}.${conversationOf(conversation).messages.subject}`,
    () => "",
    canary,
  ],
  [
    "STREAM.INFO with subjects",
    ({ mailbox }) => `STREAM.INFO.${mailbox.stream}`,
    () => ({ subjects_filter: ">" }),
    "mbx.",
  ],
  ["STREAM.NAMES", () => "STREAM.NAMES", () => "", "MBX0"],
  ["STREAM.LIST", () => "STREAM.LIST", () => "", "MBX0"],
  ["INFO of the account", () => "INFO", () => "", '"streams"'],
  ["CONSUMER.NAMES", ({ reader }) => `CONSUMER.NAMES.${reader.stream}`, () => "", "_"],
  ["CONSUMER.LIST", ({ reader }) => `CONSUMER.LIST.${reader.stream}`, () => "", '"stream_name"'],
  [
    "CONSUMER.INFO of Bob's",
    ({ reader }) => `CONSUMER.INFO.${reader.stream}.${reader.consumer}`,
    () => "",
    '"stream_name"',
  ],
  [
    "STREAM.SNAPSHOT",
    ({ mailbox }) => `STREAM.SNAPSHOT.${mailbox.stream}`,
    () => ({ deliver_subject: "snapshot.x", no_consumers: true }),
    '"config"',
  ],
  ["CONSUMER.CREATE, unnamed", ({ mailbox }) => `CONSUMER.CREATE.${mailbox.stream}`, consumer({}), '"stream_name"'],
  [
    "CONSUMER.CREATE, named",
    ({ mailbox }) => `CONSUMER.CREATE.${mailbox.stream}.named`,
    consumer({ name: "named" }),
    '"stream_name"',
  ],
  [
    "CONSUMER.CREATE, named and filtered",
    ({ mailbox }) => `CONSUMER.CREATE.${mailbox.stream}.filtered.${mailbox.subject}`,
    consumer({ name: "filtered" }),
    '"stream_name"',
  ],
  [
    "CONSUMER.DURABLE.CREATE",
    ({ mailbox }) => `CONSUMER.DURABLE.CREATE.${mailbox.stream}.durable`,
    consumer({ durable_name: "durable" }),
    '"stream_name"',
  ],
  [
    "CONSUMER.CREATE, pushing to Alice",
    ({ mailbox }) => `CONSUMER.CREATE.${mailbox.stream}.push`,
    consumer({ name: "push", deliver_subject: "alice.push" }),
    '"stream_name"',
  ],
  [
    "CONSUMER.PAUSE of Bob's",
    ({ reader }) => `CONSUMER.PAUSE.${reader.stream}.${reader.consumer}`,
    () => ({ pause_until: "2099-01-01T00:00:00Z" }),
    '"paused":true',
  ],
  [
    "CONSUMER.DELETE of Bob's",
    ({ reader }) => `CONSUMER.DELETE.${reader.stream}.${reader.consumer}`,
    () => "",
    '"success":true',
  ],
  [
    "STREAM.CREATE over live subjects",
    () => "STREAM.CREATE.TAP",
    () => ({
      name: "TAP",
      subjects: ["live.>", "cmd.>"],
      num_replicas: 1,
      retention: "limits",
      storage: "memory",
      discard: "old",
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
    }),
    '"config"',
  ],
  [
    "STREAM.UPDATE",
    ({ mailbox }) => `STREAM.UPDATE.${mailbox.stream}`,
    ({ mailbox }) => ({
      name: mailbox.stream,
      subjects: [`${mailbox.subject.split(".").slice(0, 2).join(".")}.*`],
      num_replicas: 1,
      retention: "limits",
      storage: "file",
      discard: "old",
      max_consumers: -1,
      max_msgs: -1,
      max_bytes: -1,
      max_age: 0,
    }),
    '"config"',
  ],
  ["STREAM.MSG.DELETE", ({ mailbox }) => `STREAM.MSG.DELETE.${mailbox.stream}`, () => ({ seq: 1 }), '"success":true'],
  ["STREAM.PURGE", ({ mailbox }) => `STREAM.PURGE.${mailbox.stream}`, () => "", '"success":true'],
  [
    "STREAM.PURGE of one subject",
    ({ mailbox }) => `STREAM.PURGE.${mailbox.stream}`,
    ({ mailbox }) => ({ filter: mailbox.subject }),
    '"success":true',
  ],
  ["STREAM.DELETE", ({ mailbox }) => `STREAM.DELETE.${mailbox.stream}`, () => "", '"success":true'],
]

function consumer(config: object) {
  return ({ mailbox }: World) => ({
    stream_name: mailbox.stream,
    config: {
      ack_policy: "none",
      deliver_policy: "all",
      replay_policy: "instant",
      filter_subject: mailbox.subject,
      mem_storage: true,
      ...config,
    },
  })
}

const managing: readonly Attack[] = api.map(([name, subject, payload = () => "", right = ""]) => ({
  name,
  control: "STORE",
  run: (attacker, world) => {
    const given = payload(world)
    return answers(attacker, `$JS.API.${subject(world)}`, {
      payload: typeof given === "string" ? given : JSON.stringify(given),
      isRight: (text) => text.includes(right) && !text.includes('"error"'),
    })
  },
}))

/** Bob's reader changed under him: the same but for a description, as whoever may name any consumer could change its filter. */
const overwriting: Attack = {
  name: "CONSUMER.CREATE, over Bob's own",
  control: "STORE",
  run: async (attacker, { reader, store, bob }) => {
    const { config } = (await store.openSession(bob, 0)).consumer
    const payload = JSON.stringify({
      stream_name: reader.stream,
      config: { ...config, description: "mine" },
      action: "update",
    })
    const subject = `$JS.API.CONSUMER.CREATE.${reader.stream}.${reader.consumer}.${config.filter_subject}`
    return answers(attacker, subject, { payload, isRight: (text) => text.includes('"description":"mine"') })
  },
}

/** Pulls from Bob's reader: the one subject of JetStream that is let through to users at all. */
const pulling: readonly Attack[] = (
  [
    ["one", ""],
    ["many", JSON.stringify({ batch: 100, expires: 1_000_000_000 })],
    ["without waiting", JSON.stringify({ batch: 1, no_wait: true })],
  ] as const
).map(([name, payload]) => ({
  name: `CONSUMER.MSG.NEXT of Bob's, ${name}`,
  control: "CHAT",
  run: (attacker, { reader }) =>
    answers(attacker, `$JS.API.CONSUMER.MSG.NEXT.${reader.stream}.${reader.consumer}`, {
      payload,
      isRight: (text) => text === canary,
    }),
}))

/** Acknowledgements of a message that Bob is still to handle, and a pull by another's acknowledgement. */
const acknowledging: readonly Attack[] = (["+ACK", "-NAK", "+TERM", "+NXT"] as const).map((word) => ({
  name: `$JS.ACK ${word} of Bob's message`,
  control: "STORE",
  run: async (attacker, world) => {
    const subject = await pendingOf(world)
    return answers(attacker, subject, {
      payload: word,
      isRight: (text, message) => word === "+NXT" || text === "" || message !== undefined,
    })
  },
}))

/** The acknowledgement subject of a message that a consumer with acknowledgements has handed out. */
async function pendingOf({ storeService, mailbox }: World): Promise<string> {
  const create = `$JS.API.CONSUMER.CREATE.${mailbox.stream}.acked`
  const config = {
    name: "acked",
    ack_policy: "explicit",
    deliver_policy: "all",
    replay_policy: "instant",
    mem_storage: true,
  }
  await storeService.request(`$JS.API.CONSUMER.DELETE.${mailbox.stream}.acked`)
  await storeService.request(create, JSON.stringify({ stream_name: mailbox.stream, config }))
  const { reply = "" } = await storeService.request(`$JS.API.CONSUMER.MSG.NEXT.${mailbox.stream}.acked`, "", {
    noMux: true,
    timeout: 2_000,
  })
  return reply
}

/** The system account: who is there, what the server is, cutting Bob off. */
const systemic: readonly Attack[] = [
  {
    name: "$SYS server PING",
    control: "SYS",
    run: (attacker) => answers(attacker, "$SYS.REQ.SERVER.PING", { isRight: () => true }),
  },
  {
    name: "$SYS CONNZ of all",
    control: "SYS",
    run: (attacker) =>
      answers(attacker, "$SYS.REQ.SERVER.PING.CONNZ", { isRight: (text) => text.includes("connections") }),
  },
  {
    name: "$SYS ACCOUNT INFO of CHAT",
    control: "SYS",
    run: (attacker) => answers(attacker, "$SYS.REQ.ACCOUNT.CHAT.INFO", { isRight: (text) => text.includes("CHAT") }),
  },
  {
    name: "$SYS SUBSZ of all",
    control: "SYS",
    run: (attacker) =>
      answers(attacker, "$SYS.REQ.SERVER.PING.SUBSZ", { isRight: (text) => text.includes("num_subscriptions") }),
  },
  {
    name: "$SYS KICK of a connection that is not there",
    control: "SYS",
    run: (attacker, { sys }) =>
      answers(attacker, `$SYS.REQ.SERVER.${sys.info?.server_id}.KICK`, {
        payload: '{"cid":999999}',
        isRight: () => true,
      }),
  },
]

interface Expected {
  readonly payload?: string
  readonly isRight: (text: string, message?: Msg) => boolean
}

async function answers(attacker: Attacker, subject: string, { payload = "", isRight }: Expected): Promise<Outcome> {
  const answer = await attacker.ask(subject, payload)
  if (answer === "refused") return "refused"
  if (answer === "nothing") return "nothing"
  // 404 and 408 are statuses without content, 503 means that nobody listens there.
  if (answer.headers !== undefined && answer.headers.code >= 400) return "nothing"
  return isRight(answer.string(), answer) ? "worked" : "nothing"
}

function label(subject: (world: World) => string): string {
  const uid = "BOB"
  const named = { uid, dev: "DEV" }
  const shape = { bob: named, alice: { uid: "ALICE", dev: "DEV" }, mailbox: { subject: "Bob's mailbox" } }
  return subject(shape as unknown as World)
}

export const attacks: readonly Attack[] = [
  ...listening,
  ...publishing,
  ...(written as readonly Attack[]),
  ...managing,
  overwriting,
  ...pulling,
  ...acknowledging,
  ...systemic,
]
