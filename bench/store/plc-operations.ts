/** Signed operations for the did:plc directory server, made with its own library, as the requests that post them. */
import { createRequire } from "node:module"
import { join } from "node:path"
import { peerFolder } from "../../test/support/servers.ts"
import { type PostedChain, postOf } from "./chains.ts"

interface Keypair {
  did(): string
}

interface Plc {
  createOp(options: object): Promise<{ readonly op: object; readonly did: string }>
  updateHandleOp(last: object, signer: Keypair, handle: string): Promise<object>
}

/** DIDs with `length` operations each: the first makes it, the others change its handle. */
export async function makeOperations(count: number, length: number): Promise<readonly PostedChain[]> {
  const require = createRequire(join(peerFolder("atproto"), "package.json"))
  const plc: Plc = require("@did-plc/lib")
  const { Secp256k1Keypair }: { readonly Secp256k1Keypair: { create(): Promise<Keypair> } } = require("@atproto/crypto")
  const made: PostedChain[] = []
  for (let i = 0; i < count; i++) {
    const signer = await Secp256k1Keypair.create()
    const key = signer.did()
    const identity = { signingKey: key, rotationKeys: [key], handle: `n${i}.example`, pds: "https://pds.example" }
    const { op, did } = await plc.createOp({ ...identity, signer })
    const operations = [op]
    while (operations.length < length) {
      const handle = `n${i}-${operations.length}.example`
      operations.push(await plc.updateHandleOp(operations.at(-1) ?? op, signer, handle))
    }
    made.push({ id: did, requests: operations.map((each) => postOf(`/${did}`, JSON.stringify(each))) })
  }
  return made
}
