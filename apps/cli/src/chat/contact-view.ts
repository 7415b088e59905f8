/** How a contact looks: one line in a list, and several with badges, devices and the safety code. */
import type { Contact } from "@kez/chat"
import { tryParseHex } from "@kez/core"
import { formatWords } from "@kez/core/mnemonic"
import { paint, printable } from "../output.ts"
import { count, shortKey } from "../short-text.ts"
import { badgeLine, badgeText, type ProofBadge } from "./badges.ts"
import type { OpenChat } from "./open-chat.ts"
import { nameOfContact } from "./people.ts"

const safetyWordCount = 8

/** Eight words, 88 bits: what two people can read to each other. */
export function safetyWords(code: string): string {
  const bytes = tryParseHex(code, 32)
  return bytes === undefined ? code : formatWords(bytes.subarray(0, 16)).split(" ").slice(0, safetyWordCount).join(" ")
}

export function contactLine(
  chat: OpenChat,
  contact: Contact,
  { badges, color }: { readonly badges: readonly ProofBadge[]; readonly color: boolean },
): string {
  const name = paint(color, "bold", printable(nameOfContact(chat, contact), 120))
  const standing =
    contact.stop === undefined
      ? standingWords[contact.standing]
      : paint(color, "red", `⑂ ${contact.stop.kind.replaceAll("_", " ")}: nothing is sent`)
  return [name, standing, badgeLine(badges, color)].filter((part) => part !== "").join("  ")
}

const standingWords: Readonly<Record<Contact["standing"], string>> = {
  accepted: "",
  request: "○ wrote first: kez contacts accept",
  blocked: "⊘ blocked",
}

export interface ContactDetails {
  readonly badges: readonly ProofBadge[]
  /** 64 hex. */
  readonly safetyCode: string | undefined
  readonly color: boolean
}

export function contactText(chat: OpenChat, contact: Contact, { badges, safetyCode, color }: ContactDetails): string {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["standing", contact.standing],
    ["chain", contact.chain],
    [
      "devices",
      contact.devices.length === 0
        ? "none"
        : `${count(contact.devices.length, "device")}: ${contact.devices.map(shortKey).join(", ")}`,
    ],
    ...(safetyCode === undefined
      ? []
      : [["safety code", `${safetyWords(safetyCode)}  (equal at both ends, or somebody is between)`] as const]),
    ...(contact.stop === undefined
      ? []
      : [["STOP", `${printable(contact.stop.message, 300)} [${contact.stop.code}]`] as const]),
  ]
  const proofs =
    badges.length === 0 ? ["○ no accounts elsewhere in the chain"] : badges.map((one) => badgeText(one, color))
  return [
    paint(color, "bold", printable(nameOfContact(chat, contact), 120)),
    ...rows.map(([name, text]) => `  ${name.padEnd(13)}${text}`),
    "  proofs",
    ...proofs.map((line) => `    ${line}`),
  ].join("\n")
}
