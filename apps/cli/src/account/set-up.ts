/** What makes an account usable, after its keys are made: chain, stores, handle, key packages. Interrupted anywhere, it goes on where it was. */
import { deviceSigner } from "@kez/chat"
import type { ChainReplay } from "@kez/core"
import type { Visit } from "../chat/visit.ts"
import type { Context } from "../context.ts"
import { growChain, publishOwnChain, type Reach } from "./account-chain.ts"
import { tryArchiveKey } from "./archive-key.ts"
import { type Device, deviceOf } from "./device-file.ts"
import type { Primary } from "./primary.ts"
import { type AccountRecord, nameOfAccount, type ReadyAccount, useAccount, writeAccount } from "./records.ts"
import { registerHandle } from "./register.ts"

export interface SetUp {
  readonly device: Device
  readonly primary: Primary
  readonly reach: Reach
  readonly invitation: string | undefined
  /** Subjects that an earlier try listed and that are not wanted any more. */
  readonly revokes?: readonly string[]
  /** With it the history is read, at the first visit. */
  readonly archiveSecret?: Uint8Array
}

export interface FinishedSetUp {
  readonly record: ReadyAccount
  readonly replay: ChainReplay
  readonly visit: Visit
}

export async function setUpAccount(context: Context, begun: AccountRecord, setUp: SetUp): Promise<FinishedSetUp> {
  const { device, primary, reach, invitation, archiveSecret, revokes = [] } = setUp
  const { terminal, paths } = context
  const name = nameOfAccount(begun)
  const signer = deviceSigner(device.keys)
  const subject = `kez:${name}`
  const grown = await growChain(context, {
    primary: primary.key,
    signer: primary.signer,
    device: signer,
    lists: [subject],
    revokes,
  })
  const known = { ...begun, chain: grown.chain, primary: primary.key, device: deviceOf(device) }
  let record: AccountRecord = writeAccount(paths, await tryArchiveKey(context, known, primary))
  terminal.progress(`giving the chain to ${reach.stores.join(", ")}`)
  const published = await publishOwnChain(context, primary.key, reach)
  terminal.progress(`looking whether ${name} is registered`)
  record = await registerHandle(context, record, record, { published, signer, reach, invitation })
  const { chain } = published.replay
  const ready: ReadyAccount = {
    ...record,
    state: "ready",
    chain,
    primary: published.replay.state.primary,
    device: deviceOf(device),
  }
  writeAccount(paths, ready)
  useAccount(paths, ready)
  return { record: ready, replay: published.replay, visit: await visit(context, ready, archiveSecret) }
}

/** Others can write to somebody who is away only if his device left key packages. Without a broker that is for later. */
async function visit(context: Context, record: ReadyAccount, archiveSecret: Uint8Array | undefined): Promise<Visit> {
  context.terminal.progress("leaving keys for those who write first")
  const { visitServer } = await import("../chat/visit.ts")
  const visited = await visitServer(context, record, archiveSecret)
  if (visited.reason !== undefined) {
    context.warn(
      `nobody can write first yet, for the chat server's broker was not reached (${visited.reason}). kez chat does it later`,
    )
  }
  return visited
}
