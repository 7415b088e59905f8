/**
 * Many steps by chance, from a seed: devices are added, revoked and removed, keys renewed, messages written, commits raced, machines
 * stopped. At the end all agree, everybody read what was for him, and who is out reads nothing. adversarial E-10
 */
import assert from "node:assert/strict"
import { test } from "node:test"
import type { GroupCipher } from "../src/cipher/group-cipher.ts"
import { createConversation, joinByItself, joinConversation } from "../src/cipher/mls-join.ts"
import {
  bytes,
  chainsOf,
  createPerson,
  type Desk,
  deskOf,
  keyPackageOf,
  offer,
  read,
  restart,
  stateOf,
} from "./support/world.ts"

interface Client {
  readonly desk: Desk
  cipher: GroupCipher
  /** Commits of the log that it has. */
  at: number
}

/** Numbers that look random, the same for the same seed. */
function chance(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

function here<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nobody")
  return value
}

// 111: a sound tree that the library's own check refuses.
for (const seed of [1, 2, 111]) {
  test(`seed ${seed}: 40 steps by chance end with all devices equal`, async () => {
    const pick = chance(seed)
    const people = [await createPerson(), await createPerson(), await createPerson()] as const
    const chains = chainsOf(...people)
    const body = stateOf(people.map(({ chain }, i) => ({ chain, role: i === 0 ? "owner" : "member" })))
    const first = deskOf(await people[0].addDevice(), chains)
    const clients: Client[] = [
      { desk: first, cipher: await createConversation(body, first.device.credential, first), at: 0 },
    ]
    const gone: Client[] = []
    const log: Uint8Array[] = []
    const one = (): Client => here(clients[pick(clients.length)])

    const catchUp = async (client: Client): Promise<void> => {
      for (; client.at < log.length; client.at++) {
        assert.match(await offer(client.cipher, log[client.at] ?? new Uint8Array()), /^applied$|^repeat$/)
      }
    }
    /** Published by compare-and-set: the maker has everything, so it wins. */
    const publish = async (by: Client, message: Uint8Array): Promise<void> => {
      log.push(message)
      await by.cipher.accept()
      by.at = log.length
    }
    const tidy = async (by: Client): Promise<void> => {
      await catchUp(by)
      const overdue = by.cipher.overdue().map(({ device }) => device)
      if (overdue.length === 0) return
      await publish(by, (await by.cipher.remove(overdue)).message)
    }

    const steps: readonly (() => Promise<void>)[] = [
      async function update() {
        const by = one()
        await tidy(by)
        await publish(by, (await by.cipher.update()).message)
      },
      async function add() {
        if (clients.length > 7) return
        const by = one()
        await tidy(by)
        const desk = deskOf(await (people[pick(3)] ?? people[0]).addDevice(), chains)
        const own = await keyPackageOf(desk.device)
        const { message, welcome = new Uint8Array() } = await by.cipher.add([own.bytes])
        await publish(by, message)
        clients.push({ desk, cipher: (await joinConversation(welcome, [own], desk)).cipher, at: log.length })
      },
      async function revoke() {
        if (clients.length < 3) return
        const victim = clients.splice(pick(clients.length), 1)[0]
        if (victim === undefined) return
        gone.push(victim)
        await victim.desk.device.person.revoke(victim.desk.device)
        await tidy(one())
      },
      async function write() {
        const by = one()
        await tidy(by)
        const message = await by.cipher.encrypt(bytes(`by ${by.desk.device.name}`))
        for (const reader of clients) {
          await catchUp(reader)
          assert.equal(await read(reader.cipher, message), reader === by ? "own" : `by ${by.desk.device.name}`)
        }
        for (const { cipher } of gone) assert.match(await read(cipher, message), /^ahead$|^chat\./)
      },
      async function race() {
        if (clients.length < 2) return
        for (const client of clients) await tidy(client)
        for (const client of clients) await catchUp(client)
        const made = await Promise.all(clients.map(({ cipher }) => cipher.update()))
        const winner = pick(clients.length)
        const by = clients[winner]
        if (by !== undefined) await publish(by, made[winner]?.message ?? new Uint8Array())
        for (const client of clients) await catchUp(client)
      },
      async function crash() {
        const client = one()
        client.cipher = await restart(client.desk, client.cipher)
      },
      async function lose() {
        if (clients.length < 2) return
        const client = one()
        const helper = clients.find((other) => other !== client)
        if (helper === undefined) return
        await tidy(helper)
        const { device } = client.desk
        const join = await joinByItself(await helper.cipher.groupInfo(), device.credential, client.desk)
        log.push(join.message)
        client.cipher = await join.accept()
        client.at = log.length
      },
    ]
    for (let i = 0; i < 40; i++) await steps[pick(steps.length)]?.()
    for (const client of clients) await tidy(client)
    for (const client of clients) await catchUp(client)
    const codes = new Set(clients.map(({ cipher }) => cipher.safetyCode()))
    assert.equal(codes.size, 1)
    for (const { cipher } of clients) assert.equal(cipher.members().length, clients.length)
    for (const { cipher } of gone) assert.ok(!codes.has(cipher.safetyCode()))
  })
}
