/** Alice, who shares, and Bob, who looks, with everything between them but real bytes on a real network. */
import type { BrowsingEvent } from "../../src/files/browsing.ts"
import { Files } from "../../src/files/files.ts"
import type { TransferView } from "../../src/files/transfer.ts"
import { couple, type EngineWorld, type Home } from "./engine-world.ts"
import { ModelNet, NetMover, netDisk } from "./model-net.ts"

export interface ShareSide {
  readonly home: Home
  readonly mover: NetMover
  readonly files: Files
  readonly heard: BrowsingEvent[]
  readonly views: TransferView[]
}

let drawn = 0

export function shareSide(net: ModelNet, home: Home, digit: string): ShareSide {
  const mover = new NetMover(net, digit.repeat(64))
  const heard: BrowsingEvent[] = []
  const views: TransferView[] = []
  const files = new Files(
    {
      ...{ engine: home.engine, mover, disk: netDisk(mover), clock: home.clock },
      newId: () => (++drawn).toString(16).padStart(64, "0"),
      onBrowsing: (event) => void heard.push(event),
      onFault: (error) => {
        throw error
      },
    },
    (view) => void views.push(view),
    () => undefined,
  )
  files.start()
  return { home, mover, files, heard, views }
}

export interface SharePair {
  readonly world: EngineWorld
  readonly net: ModelNet
  readonly a: ShareSide
  readonly b: ShareSide
  readonly conversation: string
}

export async function sharePair(): Promise<SharePair> {
  const { world, alice, bob } = await couple()
  await alice.say(bob, "hello")
  await world.rest()
  const net = new ModelNet()
  const [a, b] = [shareSide(net, alice, "a"), shareSide(net, bob, "b")]
  const { id: conversation } = await alice.engine.openDirect(bob.person.chain)
  return { world, net, a, b, conversation }
}

/** Alice serves, Bob asks, until nothing moves. */
export async function askAlice({ world, a, b, conversation }: SharePair): Promise<void> {
  await a.files.shares.open()
  await b.files.run(() => b.files.browsing.ask(conversation))
  await world.rest()
}
