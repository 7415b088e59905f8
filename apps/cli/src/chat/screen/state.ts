/** What the screen shows besides the conversation itself. */
import type { Digest } from "@kez/core"
import { type Editor, emptyEditor } from "./editor.ts"

/** What the line that is typed will be. */
export type Purpose =
  | { readonly kind: "text" }
  | { readonly kind: "reply" | "edit" | "react"; readonly message: Digest }

export type Overlay =
  | { readonly kind: "help" }
  | { readonly kind: "switcher"; readonly filter: Editor; readonly at: number }
  | { readonly kind: "alarms"; readonly at: number }
  /** `lines` undefined: being looked at. */
  | {
      readonly kind: "evidence"
      readonly title: string
      readonly lines: readonly string[] | undefined
      readonly top: number
    }

export interface ScreenState {
  readonly editor: Editor
  readonly purpose: Purpose
  /** A message that is chosen: single letters do something to it then. */
  readonly chosen: Digest | undefined
  /** Lines that the newest one is below the bottom. */
  readonly scroll: number
  readonly overlay: Overlay | undefined
  readonly notice: { readonly text: string; readonly isFault: boolean } | undefined
}

export const firstState: ScreenState = {
  editor: emptyEditor,
  purpose: { kind: "text" },
  chosen: undefined,
  scroll: 0,
  overlay: undefined,
  notice: undefined,
}
