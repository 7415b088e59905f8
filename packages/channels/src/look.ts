/** A look at an account as a reader makes it: the channel's own, and where that shows nothing, at its canary too. SPEC [VER-14] */
import type { Channel, Health, LookOptions, Net, Publication } from "./channel.ts"
import { withDeadline } from "./deadline.ts"
import { canaryMs } from "./limits.ts"
import { healthOfError } from "./publication.ts"

export interface AccountLook {
  readonly publication: Publication
  /** Where the canary was looked at: its name, and how it is. */
  readonly health: (Health & { readonly name: string }) | undefined
}

export interface LookRequest extends LookOptions {
  readonly channel: Channel
  /** Canonical identity value. */
  readonly value: string
}

/** Looks at one account. Throws only the signal's reason. */
export type LookAtAccount = (request: LookRequest) => Promise<AccountLook>

/** Creates the looks of one command: each canary is looked at once, however many people are asked about. */
export function createLook(net: Net): LookAtAccount {
  const canaries = new Map<string, Promise<Health>>()

  function checkCanary({ channel, value }: LookRequest, name: string): Promise<Health> {
    const key = `${channel.system} ${name}`
    const known = canaries.get(key)
    if (known !== undefined) return known
    const deadline = { timeoutMs: canaryMs, task: `look at ${name}, which is always there` }
    // Not under the asker's signal: others wait for the same canary.
    const health = withDeadline(deadline, (signal) => channel.canary.check(name, net, signal)).catch((error: unknown) =>
      healthOfError(error, { url: `${channel.system}:${value}`, fetchedAt: net.now() }),
    )
    canaries.set(key, health)
    return health
  }

  return async (request) => {
    const { channel, value } = request
    const publication = await channel.collect(value, net, request)
    if (!speaksAgainst(publication)) return { publication, health: undefined }
    const name = channel.canary.nameFor(value, net)
    const health = { name, ...(await checkCanary(request, name)) }
    return { publication: health.ok ? publication : silenced(publication, health), health }
  }
}

/** Whether the place's word, if it is believed, turns a person red. A broken text found there is no fault of the platform. */
function speaksAgainst({ status, ...rest }: Publication): boolean {
  if (status === "absent") return true
  return status === "invalid" && "code" in rest && rest.code.startsWith("account.")
}

function silenced({ evidence }: Publication, { evidence: canary }: Health): Publication {
  const seen = { ...canary, code: "channel.down" } as const
  const { retryAfterSeconds } = canary
  return {
    status: "unreachable",
    code: "channel.down",
    evidence: [...evidence, seen],
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  }
}
