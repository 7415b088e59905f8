/** What a person writes, as a type of content with its text. */
import { encodeText } from "../bytes.ts"
import type { ContentType, ContentTypes } from "../wire/content.ts"
import type { Draft } from "./engine.ts"

type Written = {
  readonly [T in ContentType]: { readonly type: T; readonly content: ContentTypes[T]; readonly body?: Uint8Array }
}[ContentType]

export function draftOf(draft: Draft): Written {
  switch (draft.type) {
    case "text":
      return { type: "text", content: mentionsOf(draft), body: encodeText(draft.text) }
    case "reply":
      return { type: "reply", content: { to: draft.to, ...mentionsOf(draft) }, body: encodeText(draft.text) }
    case "thread":
      return { type: "thread", content: { root: draft.root, ...mentionsOf(draft) }, body: encodeText(draft.text) }
    case "edit":
      return { type: "edit", content: { of: draft.of }, body: encodeText(draft.text) }
    case "delete":
      return { type: "delete", content: { of: draft.of } }
    case "reaction":
      return { type: "reaction", content: { to: draft.to, emoji: draft.emoji, action: draft.action } }
    case "file_offer": {
      const { type, ...content } = draft
      return { type, content }
    }
  }
}

function mentionsOf({ mentions = [] }: { readonly mentions?: readonly string[] }): { mentions?: readonly string[] } {
  return mentions.length === 0 ? {} : { mentions }
}
