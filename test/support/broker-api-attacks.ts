/** What Alice tries with the requests of JetStream. */
import { conversationOf } from "@kez/broker"
import type { Msg } from "@nats-io/transport-node"
import { type Attacker, canary, conversation, type Outcome, type World } from "./broker-world.ts"

/** Where the attempt would succeed if it were not for permissions: the accounts are the other half of the walls. */
export type Account = "CHAT" | "STORE" | "SYS" | "AUTH"

export interface Attack {
  readonly name: string
  readonly control: Account
  readonly run: (attacker: Attacker, world: World) => Promise<Outcome>
}

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

export const apiAttacks: readonly Attack[] = [...managing, overwriting, ...pulling, ...acknowledging]

interface Expected {
  readonly payload?: string
  readonly isRight: (text: string, message?: Msg) => boolean
}

/** Asks, and tells whether the answer is what the attack was after. */
export async function answers(
  attacker: Attacker,
  subject: string,
  { payload = "", isRight }: Expected,
): Promise<Outcome> {
  const answer = await attacker.ask(subject, payload)
  if (answer === "refused") return "refused"
  if (answer === "nothing") return "nothing"
  // 404 and 408 are statuses without content, 503 means that nobody listens there.
  if (answer.headers !== undefined && answer.headers.code >= 400) return "nothing"
  return isRight(answer.string(), answer) ? "worked" : "nothing"
}
