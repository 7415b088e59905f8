/** A chain whose owner's keys were stolen, for tests of how it comes back. SPEC CHAIN-12, CHAIN-14, FORK-1 */
import assert from "node:assert/strict"
import {
  appendEvent,
  type ChainReplay,
  createSigner,
  formatChain,
  type Operation,
  parseChain,
  replayChain,
  type Signer,
} from "@kez/core"
import { keyOfWords } from "../../../apps/cli/src/keys/key-text.ts"
import { aboutWords, type Home, makeHome, zeroWords } from "./home.ts"

const safeWords = `${"zoo ".repeat(23)}vote`
const signerOf = (words: string): Signer => createSigner("ed25519", keyOfWords("ed25519", words).secret)
export const spareWords = `${"legal winner thank year wave sausage worth useful ".repeat(2)}legal winner thank year wave sausage worth title`
export const [main, safe, phone] = [signerOf(zeroWords), signerOf(safeWords), signerOf(aboutWords)]
export const spare = signerOf(spareWords)

export async function json(home: Home, ...args: readonly string[]) {
  const { code, stdout, stderr } = await home.run([...args, "--json"])
  assert.notEqual(stdout, "", stderr)
  return { code, ...JSON.parse(stdout) }
}

/** A home with main (in use), whose chain lists a domain, safe and phone. */
export async function begun(): Promise<Home> {
  const home = makeHome()
  await home.make("main", { words: zeroWords })
  await home.make("safe", { words: safeWords })
  await home.make("phone", { words: aboutWords })
  await home.run(["identity", "use", "main"])
  assert.equal((await home.run(["sigchain", "add", "dns:example.org"])).code, 0)
  return home
}

export async function chainOf(home: Home): Promise<ChainReplay> {
  return replayChain(parseChain((await home.run(["sigchain", "export"])).stdout))
}

/** Signs events with the stolen key by other software, and has the owner learn of them. */
export async function forge(
  home: Home,
  from: ChainReplay,
  operations: readonly Operation[],
  thief: Signer = main,
): Promise<ChainReplay> {
  let chain = from
  for (const operation of operations) {
    chain = (await appendEvent({ chain, operation, now: 1_790_000_000 }, thief)).replay
  }
  const read = await home.run(["sigchain", "import", home.file("chain.jsonl", formatChain(chain.path))])
  assert.equal(read.code, 0, read.stderr)
  return chain
}

/** Event 3 is the thief's, who has the key of the device phone alone; event 4 the owner's answer. */
export async function burnedByDevice(home: Home): Promise<ChainReplay> {
  await home.run(["sigchain", "set-next", "safe", "--yes"])
  await home.run(["sigchain", "add-device", "phone"])
  await forge(home, await chainOf(home), [{ op: "revoke_device", keys: [safe.key] }], phone)
  assert.equal((await home.run(["sigchain", "revoke-device", phone.key])).code, 0)
  return chainOf(home)
}

export function devicesOf(chain: ChainReplay): readonly string[] {
  return chain.state.devices.map(({ key }) => key)
}
