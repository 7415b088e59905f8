/** What makes an account usable, after its keys are made: chain, stores, handle, key packages. Interrupted anywhere, it goes on where it was. */
import { deviceSigner } from "@kez/chat"
import type { ChainReplay, Signer } from "@kez/core"
import type { Context } from "../context.ts"
import { growChain, publishOwnChain, type Reach } from "./account-chain.ts"
import { type Device, deviceOf } from "./device-file.ts"
import { type AccountRecord, nameOfAccount, type ReadyAccount, useAccount, writeAccount } from "./records.ts"
import { registerHandle } from "./register.ts"

export interface SetUp {
  readonly device: Device
  readonly primary: { readonly key: string; signer(): Promise<Signer> }
  readonly reach: Reach
  readonly invitation: string | undefined
  /** Subjects that an earlier try listed and that are not wanted any more. */
  readonly revokes?: readonly string[]
}

export interface FinishedSetUp {
  readonly record: ReadyAccount
  readonly replay: ChainReplay
  /** Whether the chat server has what others need to write to this device. */
  readonly isReachable: boolean
}

export async function setUpAccount(context: Context, begun: AccountRecord, setUp: SetUp): Promise<FinishedSetUp> {
  const { device, primary, reach, invitation, revokes = [] } = setUp
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
  let record = writeAccount(paths, { ...begun, chain: grown.chain, primary: primary.key, device: deviceOf(device) })
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
  return { record: ready, replay: published.replay, isReachable: await leaveKeyPackages(context, ready) }
}

/** Others can write to somebody who is away only if his device left key packages. Without a broker that is for later. */
async function leaveKeyPackages(context: Context, record: ReadyAccount): Promise<boolean> {
  context.terminal.progress("leaving keys for those who write first")
  const { visitServer } = await import("../chat/open-chat.ts")
  const reason = await visitServer(context, record)
  if (reason === undefined) return true
  context.warn(
    `nobody can write first yet, for the chat server's broker was not reached (${reason}). kez chat does it later`,
  )
  return false
}
