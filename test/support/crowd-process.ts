/**
 * A process with a part of a crowd: registers people, connects their devices, lets them write to each other in pairs and tells what came of it. It is
 * told what to do by messages, and answers each with one (crowd.ts).
 */
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import { createDeviceKeys, deviceSigner } from "@kez/chat"
import { grow, personWith, register, signerOf } from "./chat-server.ts"
import { type WorldDevice, worldDevice } from "./chat-world.ts"
import type { CrowdCount, CrowdOrder, CrowdPlan, CrowdTold } from "./crowd.ts"
import { type CrowdMember, createMember, idOf } from "./crowd-member.ts"
import { publishChain } from "./sig-server.ts"

/** Whoever registers and connects at once. */
const atOnce = 16

const members: CrowdMember[] = []
/** Of the member with the same place. */
const conversations: string[] = []
let writing: NodeJS.Timeout | undefined
let said = 0

async function inTurns<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const waiting = items.values()
  const line = async (): Promise<void> => {
    for (const item of waiting) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, line))
}

async function makePerson(plan: CrowdPlan, number: number): Promise<readonly WorldDevice[]> {
  const signer = signerOf(number)
  const handle = `crowd${number}x`
  let { chain } = await personWith(signer, `kez:${handle}@localhost`)
  const keys = Array.from({ length: plan.devices }, () => createDeviceKeys())
  for (const one of keys) chain = await grow(chain, { op: "add_device", device: deviceSigner(one) }, signer)
  await publishChain({ url: plan.store }, chain)
  const answer = await register({ url: plan.server }, { signer, chain }, handle, { omitsChain: true })
  if (answer.status !== 201) throw new Error(`Cannot register ${handle}: ${answer.text}`)
  return Promise.all(keys.map((one) => worldDevice(one, chain.chain)))
}

async function make(plan: CrowdPlan): Promise<void> {
  const people: (readonly WorldDevice[])[] = []
  await inTurns(
    Array.from({ length: plan.people }, (_, i) => plan.first + i),
    async (number) => void people.push(await makePerson(plan, number)),
  )
  for (const device of people.flat()) members.push(createMember({ device, broker: plan.broker }))
}

async function connectAll(): Promise<void> {
  for (const member of members) member.start()
  await untilAll((member) => member.isOnline)
}

/** Those who stand beside each other have a conversation. */
async function pair(): Promise<void> {
  const firsts = members.flatMap((member, at) => (at % 2 === 0 ? [{ member, other: members[at + 1], at }] : []))
  await inTurns(firsts, async ({ member, other = member, at }) => {
    const conversation = randomBytes(32).toString("hex")
    const chains = [...new Set([member.device.chain, other.device.chain])]
    await member.ask("commit", { conversation, id: idOf("begin"), follows: 0, members: chains }, [Buffer.from("begin")])
    conversations[at] = conversation
    conversations[at + 1] = conversation
  })
}

function write(everyMs: number): void {
  clearInterval(writing)
  writing = setInterval(() => {
    const at = Math.floor(Math.random() * members.length)
    members[at]?.say(conversations[at] ?? "", `${process.pid} ${at} ${said++}`)
  }, everyMs)
}

/** Until each is there and answered: a command goes through the broker to the chat server and back. */
async function probe(): Promise<void> {
  await Promise.all(
    members.map(async (member) => {
      for (;;) {
        const isBack = await member.ask("cursor", { cursor: 0 }).then(
          () => member.isOnline,
          () => false,
        )
        if (isBack) return
        await sleep(100)
      }
    }),
  )
}

/** Whom the member in a place writes to. Each has one device, which knows what it sent itself. */
function otherOf(at: number): CrowdMember | undefined {
  return members[at % 2 === 0 ? at + 1 : at - 1]
}

async function settle(): Promise<void> {
  clearInterval(writing)
  await untilAll(({ waiting }) => waiting === 0)
  // What does not come is found missing by the count.
  const end = Date.now() + 10_000
  const hasAll = ({ shown }: CrowdMember, at: number): boolean =>
    shown.length >= (otherOf(at)?.acknowledged.length ?? 0)
  while (!members.every(hasAll) && Date.now() < end) await sleep(50)
}

async function untilAll(isSo: (member: CrowdMember) => boolean): Promise<void> {
  while (!members.every(isSo)) await sleep(20)
}

function count(): CrowdCount {
  const sum = { online: 0, acknowledged: 0, shown: 0, lost: 0, twice: 0, disordered: 0, rewound: 0 }
  for (const [at, { isOnline, shown, acknowledged, rewound }] of members.entries()) {
    const texts = shown.map(({ text }) => text)
    const seen = new Set(texts)
    sum.online += isOnline ? 1 : 0
    sum.rewound += rewound
    sum.acknowledged += acknowledged.length
    sum.shown += shown.length
    sum.twice += texts.length - seen.size
    const wanted = (otherOf(at)?.acknowledged ?? []).map(({ text }) => text)
    sum.lost += wanted.filter((text) => !seen.has(text)).length
    const places = wanted.map((text) => texts.indexOf(text)).filter((place) => place !== -1)
    sum.disordered += places.filter((place, i) => i > 0 && place < (places[i - 1] ?? 0)).length
  }
  return sum
}

async function caughtUp(each: number): Promise<void> {
  for (const member of members) member.start()
  await untilAll(({ shown }) => shown.length >= each)
}

async function obey(order: CrowdOrder): Promise<CrowdTold> {
  switch (order.do) {
    case "make":
      await make(order)
      return { devices: members.map(({ device: { uid, dev } }) => ({ uid, dev })) }
    case "connect":
      await connectAll()
      return {}
    case "pair":
      await pair()
      return {}
    case "write":
      write(order.everyMs)
      return {}
    case "probe":
      await probe()
      return {}
    case "settle":
      await settle()
      return { count: count() }
    case "catch-up":
      await caughtUp(order.each)
      return { count: count() }
  }
}

process.on("message", (order: CrowdOrder) => {
  obey(order).then(
    (told) => process.send?.(told),
    (error: unknown) => process.send?.({ failed: String(error) } satisfies CrowdTold),
  )
})
process.on("disconnect", () => process.exit(0))
