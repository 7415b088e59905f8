/**
 * Connections let in by the real chat server, whose devices have chains in a store and handles, against a responder on the same nats-server that only
 * signs. Known: the chains were looked at since the chat server's start, as when a broker comes back and everybody with it. New: none was.
 */
import { fork } from "node:child_process"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { audience } from "../../test/support/broker.ts"
import { ask } from "../../test/support/chat-server.ts"
import type { ChatWorld, WorldDevice } from "../../test/support/chat-world.ts"
import { connectAll, inFlight, tell } from "../broker.ts"
import { median, perSecond, type Row } from "../measure.ts"

const target = 0.7
const warmUps = 4
/** People who register at once. */
const atOnce = 8

export interface ConnectsSize {
  readonly devices: number
  readonly rounds: number
}

interface Round {
  readonly bareMs: number
  readonly newMs: number
  readonly knownMs: number
}

export async function connectRows(world: ChatWorld, { devices: count, rounds }: ConnectsSize): Promise<readonly Row[]> {
  const devices = await devicesOf(world, count)
  const { port } = world.broker.settings.client
  const keyFolder = join(world.broker.settings.folder, "keys")
  const responder = fork(join(import.meta.dirname, "../broker/responder.ts"), [world.broker.url, keyFolder, audience])
  try {
    const round = async (): Promise<Round> => {
      await world.server.end("SIGTERM")
      await tell(responder, "bare")
      const bareMs = await connectAll(port, devices)
      await tell(responder, "stop")
      await world.restartServer()
      await untilConnected(world)
      const newMs = await connectAll(port, devices)
      // The responder runs since the first round. A server that has just been started has not compiled its code.
      for (let i = 0; i < warmUps; i++) await connectAll(port, devices)
      return { bareMs, newMs, knownMs: await connectAll(port, devices) }
    }
    await round() // compiles
    const done: Round[] = []
    for (let i = 0; i < rounds; i++) done.push(await round())
    const what = `${count} connections, ${inFlight} at a time, let in by the whole chat server, against a responder that only signs`
    const row = (text: string, pick: (round: Round) => number): Omit<Row, "target" | "holds"> => ({
      what: text,
      product: perSecond(count, median(done.map(pick))),
      limit: perSecond(count, median(done.map(({ bareMs }) => bareMs))),
      ratio: median(done.map((one) => one.bareMs / pick(one))),
    })
    const known = row(`${what}: chains that it knows`, ({ knownMs }) => knownMs)
    return [
      { ...known, target: `>= ${target}`, holds: known.ratio >= target },
      {
        ...row(
          "the same, the first of each device since its start: each chain fetched and replayed",
          ({ newMs }) => newMs,
        ),
        ...{ target: "for information", holds: true },
      },
    ]
  } finally {
    responder.disconnect()
  }
}

async function devicesOf(world: ChatWorld, count: number): Promise<readonly WorldDevice[]> {
  const numbers = Array.from({ length: count }, (_, i) => i).values()
  const devices: WorldDevice[] = []
  const line = async (): Promise<void> => {
    for (const number of numbers) devices.push(...(await world.person(`person${number}x`)).devices)
  }
  await Promise.all(Array.from({ length: atOnce }, line))
  return devices
}

/** Its responder too: it is started with the connections. */
async function untilConnected({ server }: ChatWorld): Promise<void> {
  while ((await ask(`${server.url}/readyz`)).body?.checks?.broker?.ok !== true) await sleep(50)
}
