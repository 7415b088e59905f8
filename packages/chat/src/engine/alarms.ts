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

export async function raise(unit: Unit, desk: Desk, facts: AlarmFacts, fault: KezError): Promise<void> {
  const id = idOf(facts)
  if ((await unit.bytes(keys.alarm(id))) !== undefined || (await unit.bytes(keys.settledAlarm(id))) !== undefined)
    return
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

export function idOf(facts: AlarmFacts): string {
  return digestOf(encodeText(canonicalize(facts as unknown as Json))).slice(7, 23)
}

export function openAlarms(unit: Unit): Promise<readonly AlarmState[]> {
  return unit.list<AlarmState>(keys.alarms)
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

/** Settled by the person: it does not come again. Throws `usage`. */
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
  unit.put(keys.settledAlarm(id), decision)
  unit.afterwards(() => desk.tell({ kind: "alarm", alarm: found, isOpen: false }))
  return found
}
