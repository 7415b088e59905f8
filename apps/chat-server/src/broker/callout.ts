/** Who may connect to the broker: a device that proves itself, whose chain lists it now and has a handle here. */
import type { ConnectAttempt, Decision } from "@kez/broker"
import { verifyConnectToken } from "@kez/core"
import { createTrust, networkOf, TokenBuckets } from "@kez/server"
import { calloutDevicePlan, calloutFailurePlan, maxBuckets } from "../limits.ts"
import type { Standings } from "./standing.ts"

export interface CalloutOptions {
  readonly domain: string
  readonly standings: Standings
  readonly nowMs: () => number
  /** Reverse proxies: behind them everybody has one address. */
  readonly trustProxy: readonly string[]
  readonly onDecision: (result: string) => void
}

/** The reasons are for the log of nats-server; the client hears *Authorization Violation* whatever they are. */
export function createDecider(options: CalloutOptions): (attempt: ConnectAttempt) => Promise<Decision> {
  const { domain, standings, nowMs, onDecision } = options
  const isProxy = createTrust(options.trustProxy) ?? (() => false)
  const failures = new TokenBuckets(calloutFailurePlan, { maxBuckets, nowMs })
  const attempts = new TokenBuckets(calloutDevicePlan, { maxBuckets, nowMs })
  const refuse = (reason: string): Decision => {
    onDecision(reason)
    return { refuse: reason }
  }
  return async ({ token, nonce, client }) => {
    if (client.type === "other") return refuse("connection type")
    // Whoever sends rubbish costs signatures; whoever has a session does not share this limit.
    const network = networkOf(client.host)
    const isCounted = !isProxy(client.host)
    if (isCounted && failures.look(network).remaining === 0) return refuse("rate limit of the address")
    const verdict = verifyConnectToken(token, { audience: domain, nonce, nowSeconds: Math.floor(nowMs() / 1_000) })
    if (!verdict.ok) {
      if (isCounted) failures.spend(network)
      return refuse(verdict.code)
    }
    const { connection } = verdict
    if (!attempts.tryTake(`${connection.uid}.${connection.dev}`)) return refuse("rate limit of the device")
    const judged = await standings.mayConnect(connection.chain, connection.device)
    if (judged.standing !== "current") return refuse(judged.standing)
    onDecision(judged.isKept === true ? "kept" : "admitted")
    return { admit: connection }
  }
}
