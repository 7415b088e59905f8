/** What Alice tries against Bob on the broker: every way to hear, read, write or administer that NATS has. One row an attempt. */
import { conversationOf } from "@kez/broker"
import { headers } from "@nats-io/transport-node"
import { type Account, type Attack, answers, apiAttacks } from "./broker-api-attacks.ts"
import { type Attacker, canary, conversation, type Outcome, type World } from "./broker-world.ts"

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
  ...apiAttacks,
  ...systemic,
]
