/** How the MLS library is run: what it keeps, and the one question it asks about every leaf. */
import { KezError } from "@kez/core"
import type { ClientConfig, ClientState, Credential, GroupState } from "ts-mls"
import { type Chains, chainOf, standingNow } from "../chains.ts"
import { assertDevice, credentialOf, type JudgedAt, standingFault } from "../credential/check-device.ts"
import { maxKeyPackageLifetimeSeconds, maxSkippedMessages, retainedEpochs } from "../limits.ts"
import { NotOpened } from "./suite.ts"

type AskAboutLeaf = (leaf: { credential: Credential; signaturePublicKey: Uint8Array }) => void

/** The answer to the library is yes or no; the reason is kept here, so that a refusal says why. */
export interface LeafJudge {
  readonly config: ClientConfig
  readonly fault: () => KezError | undefined
}

/** Each leaf of an addition, a commit's path or an external join: its chain lists the device at the named head. */
export function judgeAt(judged: JudgedAt): LeafJudge {
  return leafJudge((leaf) => void assertDevice(leaf, judged))
}

/**
 * Each leaf of a tree that one joins: its chain listed the device once. One that is revoked by now does not keep us out, because any
 * member, so also we, may remove it; one that no chain ever listed does.
 */
export function judgeTree(chains: Chains): LeafJudge {
  return leafJudge((leaf) => {
    const { chain, device } = credentialOf(leaf)
    if (standingNow(chainOf(chains, chain), device) === "unknown") throw standingFault("unknown")
  })
}

/** For what brings no new leaf: it must not come to a question. */
export const noLeaf: LeafJudge = leafJudge(() => {
  throw new KezError("chat.credential", "Cannot accept a device here")
})

function leafJudge(ask: AskAboutLeaf): LeafJudge {
  let found: KezError | undefined
  const validateCredential = async (credential: Credential, signaturePublicKey: Uint8Array): Promise<boolean> => {
    try {
      ask({ credential, signaturePublicKey })
      return true
    } catch (error) {
      if (!(error instanceof KezError)) throw error
      found ??= error
      return false
    }
  }
  return { config: configWith({ validateCredential }), fault: () => found }
}

function configWith(authService: ClientConfig["authService"]): ClientConfig {
  return {
    authService,
    keyRetentionConfig: {
      retainKeysForEpochs: retainedEpochs, // never 0: that keeps all of them
      retainKeysForGenerations: maxSkippedMessages,
      maximumForwardRatchetSteps: maxSkippedMessages,
    },
    // Lifetimes are judged by us, at the time that a commit states: by each reader's clock, members would disagree, and a quiet
    // member whose key package has expired since would keep everybody from joining.
    lifetimeConfig: {
      maximumTotalLifetime: BigInt(maxKeyPackageLifetimeSeconds),
      validateLifetimeOnReceive: false,
    },
    keyPackageEqualityConfig: {
      compareKeyPackages: (a, b) => sameDevice(a.leafNode, b.leafNode),
      compareKeyPackageToLeafNode: (a, b) => sameDevice(a.leafNode, b),
    },
    paddingConfig: { kind: "padUntilLength", padUntilLength: 256 },
  }
}

type Leaf = Parameters<typeof credentialOf>[0]

/** One leaf a device, whatever its MLS key is. */
function sameDevice(a: Leaf, b: Leaf): boolean {
  return credentialOf(a).device === credentialOf(b).device
}

export function withConfig(state: GroupState, { config }: LeafJudge): ClientState {
  return { ...state, clientConfig: config }
}

/** What is saved and compared: the state without the functions of the configuration. */
export function withoutConfig({ clientConfig: _, ...state }: ClientState): GroupState {
  return state
}

export interface RefusalText {
  readonly code: "chat.commit" | "chat.decrypt" | "chat.key_package"
  readonly cannot: string
  readonly hint: string
}

/** Runs the library: whatever it throws becomes a typed refusal, first of all the reason that a leaf was refused for. */
export async function runLibrary<T>(text: RefusalText, judge: LeafJudge, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (error instanceof KezError) throw error
    const fault = judge.fault()
    if (fault !== undefined) throw fault
    const found = error instanceof NotOpened ? "it does not open with the keys of this device" : reasonOf(error)
    throw new KezError(text.code, `${text.cannot}: ${found}`, { hint: text.hint, cause: error })
  }
}

/** The library's own sentence where it is one; a TypeError of hostile input says nothing to anybody. */
function reasonOf(error: unknown): string {
  const isOwn = error instanceof Error && /^(?:Validation|Codec|Usage|Crypto\w*)Error$/.test(error.name)
  return isOwn ? error.message : "it is not well-formed"
}
