/** Transfers in plain words, and as JSON. */
import type { PathKind, TransferNote, TransferView } from "@kez/chat"
import { sizeText } from "../chat/message-text.ts"
import { printable } from "../output.ts"
import { shortKey } from "../short-text.ts"

export function pathText(path: PathKind): string {
  return path === "direct" ? "direct" : path === "relay" ? "via a relay" : "no path yet"
}

/** `photo.jpg  45 %  1.2 of 2.7 MB  3.1 MB/s  0:01 left  direct`. */
export function progressText(view: TransferView): string {
  const { name, bytes, size, rate, path } = view
  const percent = size === 0 ? 100 : Math.floor((bytes / size) * 100)
  const left = secondsLeft(view)
  return [
    printable(name, 60),
    `${percent} %`,
    `${sizeText(bytes)} of ${sizeText(size)}`,
    `${sizeText(Math.round(rate))}/s`,
    ...(left === undefined ? [] : [`${durationText(left)} left`]),
    pathText(path),
  ].join("  ")
}

export function secondsLeft({ size, bytes, rate }: TransferView): number | undefined {
  return rate > 0 ? Math.ceil((size - bytes) / rate) : undefined
}

export function durationText(seconds: number): string {
  const [hours, minutes, rest] = [Math.floor(seconds / 3_600), Math.floor((seconds % 3_600) / 60), seconds % 60]
  const pad = (number: number): string => String(number).padStart(2, "0")
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`
}

/** The other side of a transfer, and devices that give a file. */
export interface TransferNames {
  readonly who: string
  readonly nameOf: (chain: string) => string
}

/** A line for what happened; undefined: nothing that needs one. */
export function noteText(view: TransferView, note: TransferNote, { who, nameOf }: TransferNames): string | undefined {
  const name = printable(view.name, 100)
  const giver = "by" in note && note.by !== undefined ? printable(nameOf(note.by.chain), 120) : who
  switch (note.kind) {
    case "offered":
      return `offered ${name}, ${sizeText(view.size)}. Waiting for ${who} to come online and accept`
    case "connected":
      return `${giver} is connected, ${pathText(note.path)}`
    case "lost":
      return `the connection to ${who} is gone. Waiting for ${who} to come back: what was sent is not sent again`
    case "no_way":
      return `${who} is there, and no way leads to ${who}: with --relay-only on either side both need a relay in common`
    case "resumed":
      return `resumed at ${sizeText(note.bytes)} of ${sizeText(view.size)}`
    case "checksum":
      return `checksum wrong in ${printable(note.file, 100)} from ${giver}: nothing of it was written, fetched again`
    case "has":
      return `${giver} has ${name}`
    case "refused":
      return `${giver} does not want ${name}`
    case "dropped":
      return `${giver} sends wrong bytes again and again (device ${shortKey(note.by.device)}): nothing more is taken from there`
    case "changed":
      return `${printable(note.file, 200)} was changed since it was offered, and is not sent. Send it again`
    case "state":
      return view.state === "done" && view.direction === "in" ? `fetched ${stateText(view, who)}` : stateText(view, who)
  }
}

export function stateText(view: TransferView, who: string): string {
  const name = printable(view.name, 100)
  switch (view.state) {
    case "waiting":
      return `waiting for ${who} to come online${view.direction === "out" ? " and accept" : ""}`
    case "running":
      return progressText(view)
    case "paused":
      return `paused: ${printable(view.reason ?? "what is here is kept", 300)}. The same command goes on with it`
    case "declined":
      return view.direction === "out" ? `${who} does not want ${name}` : `declined ${name}`
    case "failed":
      return `failed: ${printable(view.reason ?? name, 300)}`
    case "done":
      return view.direction === "out"
        ? `${who} has ${name}, ${sizeText(view.size)}`
        : `${printable(view.target ?? view.name, 300)}, ${sizeText(view.size)}`
  }
}

export function transferJson(view: TransferView, who: string, note?: TransferNote): object {
  const { id, direction, name, size, files, state, bytes, rate, path, target, code, reason } = view
  return {
    ...{ transfer: id, direction, with: who, name, size, files, state, bytes, rate, path },
    seconds_left: secondsLeft(view) ?? null,
    ...{ target: target ?? null, code: code ?? null, reason: reason ?? null },
    note: note === undefined ? null : note.kind,
    by: note !== undefined && "by" in note && note.by !== undefined ? note.by : null,
  }
}
