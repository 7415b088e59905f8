/** Alarms as they are kept: each once while it is open. */
import { canonicalize, digestOf, type Json, KezError } from "@kez/core"
import { encodeText } from "../bytes.ts"
import { type Alarm, type AlarmState, isAcceptable, isStop } from "./alarm.ts"
import type { Desk } from "./desk.ts"
import { keys } from "./row.ts"
import type { Unit } from "./unit.ts"

type Distributed<T> = T extends unknown ? Omit<T, "code" | "message" | "hint"> : never
/** An alarm without its words: those are of its fault. */
export type AlarmFacts = Distributed<Alarm>

/** Open ones of one kind about one contact, conversation or server: a server that makes hundreds must not hide another one among them. */
const maxOfKind = 32
/** What was put away comes again after so long, where the next one has the same name. */
const againSeconds = 86_400
const recurring: ReadonlySet<Alarm["kind"]> = new Set<Alarm["kind"]>([
  "directory",
  "own_handle",
  "key_package",
  "handle_changed",
  "commit_refused",
  "members_differ",
])

interface SettledRow {
  readonly decision: string
  readonly at: number
}

export async function raise(unit: Unit, desk: Desk, facts: AlarmFacts, fault: KezError): Promise<void> {
  const id = idOf(facts)
  if ((await unit.bytes(keys.alarm(id))) !== undefined || (await isSettled(unit, desk, facts))) return
  const alike = (await openAlarms(unit)).filter(
    ({ alarm }) => alarm.kind === facts.kind && aboutOf(alarm) === aboutOf(facts),
  )
  if (alike.length >= maxOfKind) return
  const alarm = {
    ...facts,
    code: fault.code,
    message: fault.message,
    ...(fault.hint === undefined ? {} : { hint: fault.hint }),
  } satisfies Alarm
  const state = { id, alarm, at: desk.now(), isStop: isStop(alarm), isAcceptable: isAcceptable(alarm) }
  unit.put(keys.alarm(id), state)
  unit.afterwards(() => desk.tell({ kind: "alarm", alarm: state, isOpen: true }))
}

/** Where the same facts may be another lie, it is not over with the first one that somebody has seen. */
async function isSettled(unit: Unit, desk: Desk, facts: AlarmFacts): Promise<boolean> {
  const settled = await unit.get<SettledRow | string>(keys.settledAlarm(idOf(facts)))
  if (settled === undefined) return false
  const at = typeof settled === "string" ? 0 : settled.at
  return !recurring.has(facts.kind) || desk.now() - at < againSeconds
}

function aboutOf(facts: AlarmFacts): string {
  if ("contact" in facts && facts.contact !== undefined) return facts.contact
  if ("conversation" in facts) return facts.conversation
  return "host" in facts ? facts.host : ""
}

export function idOf(facts: AlarmFacts): string {
  return digestOf(encodeText(canonicalize(facts as unknown as Json))).slice(7, 23)
}

/** Those that stop something first, then the newest. */
export async function openAlarms(unit: Unit): Promise<readonly AlarmState[]> {
  const all = await unit.list<AlarmState>(keys.alarms)
  return all.toSorted((a, b) => Number(b.isStop) - Number(a.isStop) || b.at - a.at)
}

export async function openStops(unit: Unit): Promise<readonly Alarm[]> {
  return (await openAlarms(unit)).filter((state) => state.isStop).map(({ alarm }) => alarm)
}

/** It is over by itself. `isFor`: which. */
export async function close(unit: Unit, desk: Desk, isFor: (alarm: Alarm) => boolean): Promise<void> {
  for (const alarm of await openAlarms(unit)) {
    if (!isFor(alarm.alarm)) continue
    unit.delete(keys.alarm(alarm.id))
    unit.afterwards(() => desk.tell({ kind: "alarm", alarm, isOpen: false }))
  }
}

/** Settled by the person: it does not come again, or not for a day. Throws `usage`. */
export async function settle(unit: Unit, desk: Desk, id: string, decision: "accept" | "dismiss"): Promise<AlarmState> {
  const found = await unit.get<AlarmState>(keys.alarm(id))
  if (found === undefined) throw new KezError("usage", `Cannot settle ${id}: no such alarm is open`)
  if (decision === "accept" && !found.isAcceptable) {
    throw new KezError("usage", "Cannot accept the alarm: there is nothing in it that could be right", {
      hint: found.alarm.hint ?? "Dismiss it once you have seen it.",
    })
  }
  if (decision === "dismiss" && found.isStop) {
    throw new KezError("usage", "Cannot dismiss the alarm: nothing is sent while its cause lasts", {
      hint: found.alarm.hint ?? "Ask your contact by another way.",
    })
  }
  unit.delete(keys.alarm(id))
  unit.put(keys.settledAlarm(id), { decision, at: desk.now() } satisfies SettledRow)
  unit.afterwards(() => desk.tell({ kind: "alarm", alarm: found, isOpen: false }))
  return found
}
