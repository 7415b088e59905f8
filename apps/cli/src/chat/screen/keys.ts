/** What each key does. The state of the screen is a value; what concerns the conversation goes to the session. */
import type { ShownMessage } from "@kez/chat"
import type { ChatSession } from "../session.ts"
import { type Edit, edit, editorOf, emptyEditor, insert, textOf } from "./editor.ts"
import { switcherChoices } from "./overlays.ts"
import type { Overlay, ScreenState } from "./state.ts"
import type { KeyPress } from "./terminal-screen.ts"

/** What a key asks for, beside a new state. */
export type Wish =
  | { readonly do: "submit"; readonly text: string }
  | { readonly do: "select"; readonly id: string }
  | { readonly do: "open"; readonly who: string }
  | { readonly do: "step"; readonly by: 1 | -1; readonly isUnread: boolean }
  | { readonly do: "delete"; readonly message: string }
  | { readonly do: "fetch" | "decline"; readonly message: string }
  | { readonly do: "settle"; readonly alarm: string; readonly decision: "accept" | "dismiss" }
  | { readonly do: "evidence" | "older" | "redraw" | "leave" }

export interface Pressed {
  readonly state: ScreenState
  readonly wish?: Wish
}

export interface Surroundings {
  readonly session: ChatSession
  /** Rows of messages that are seen at once. */
  readonly page: number
  readonly maxScroll: number
}

export function press(state: ScreenState, key: KeyPress, around: Surroundings): Pressed {
  const quiet = { ...state, notice: undefined }
  if (key.ctrl && key.name === "q") return { state, wish: { do: "leave" } }
  if (key.ctrl && key.name === "c") return interrupt(quiet)
  if (key.ctrl && key.name === "l") return { state: quiet, wish: { do: "redraw" } }
  if (state.overlay !== undefined) return pressOverlay({ ...quiet, overlay: state.overlay }, key, around)
  if (state.chosen !== undefined) return pressChosen({ ...quiet, chosen: state.chosen }, key, around)
  return pressTyping(quiet, key, around)
}

/** Takes back what is begun; with nothing begun it leaves. */
function interrupt(state: ScreenState): Pressed {
  const isBegun =
    state.overlay !== undefined ||
    state.chosen !== undefined ||
    textOf(state.editor) !== "" ||
    state.purpose.kind !== "text"
  if (!isBegun) return { state, wish: { do: "leave" } }
  return { state: { ...state, overlay: undefined, chosen: undefined, editor: emptyEditor, purpose: { kind: "text" } } }
}

const edits: Readonly<Record<string, Edit>> = {
  left: "left",
  right: "right",
  home: "home",
  end: "end",
  backspace: "backspace",
  delete: "delete",
}
const ctrlEdits: Readonly<Record<string, Edit>> = {
  a: "home",
  b: "left",
  f: "right",
  d: "delete",
  h: "backspace",
  u: "kill_before",
  w: "kill_word",
  left: "word_left",
  right: "word_right",
}
const altEdits: Readonly<Record<string, Edit>> = {
  b: "word_left",
  f: "word_right",
  backspace: "kill_word",
  left: "word_left",
  right: "word_right",
}

function editOf({ name, ctrl, alt }: KeyPress): Edit | undefined {
  const table = ctrl ? ctrlEdits : alt ? altEdits : edits
  return Object.hasOwn(table, name) ? table[name] : undefined
}

function pressTyping(state: ScreenState, key: KeyPress, around: Surroundings): Pressed {
  const { session, page, maxScroll } = around
  const { name, ctrl, alt, shift, text } = key
  if (ctrl && name === "k") return { state: { ...state, overlay: { kind: "switcher", filter: emptyEditor, at: 0 } } }
  if (ctrl && name === "e") return { state, wish: { do: "evidence" } }
  if (ctrl && name === "g") return { state: { ...state, overlay: { kind: "alarms", at: 0 } } }
  if (name === "f1" || (text === "?" && textOf(state.editor) === ""))
    return { state: { ...state, scroll: 0, overlay: { kind: "help" } } }
  if (ctrl && name === "p") return { state: choose(state, session, -1) }
  if (ctrl && name === "n") return { state: choose(state, session, 1) }
  if (name === "tab") return { state, wish: { do: "step", by: shift ? -1 : 1, isUnread: false } }
  if (alt && (name === "up" || name === "down"))
    return { state, wish: { do: "step", by: name === "up" ? -1 : 1, isUnread: shift } }
  if (name === "pageup")
    return {
      state: { ...state, scroll: Math.min(maxScroll, state.scroll + page) },
      ...(state.scroll + page >= maxScroll ? { wish: { do: "older" } as const } : {}),
    }
  if (name === "pagedown") return { state: { ...state, scroll: Math.max(0, state.scroll - page) } }
  if (name === "escape")
    return {
      state: {
        ...state,
        purpose: { kind: "text" },
        editor: state.purpose.kind === "text" ? state.editor : emptyEditor,
        scroll: 0,
      },
    }
  if ((name === "return" || name === "enter") && (alt || shift))
    return { state: { ...state, editor: insert(state.editor, "\n") } }
  // Ctrl-J is a line feed, which terminals also send for some Enters with a modifier.
  if (ctrl && name === "j") return { state: { ...state, editor: insert(state.editor, "\n") } }
  if (name === "return" || name === "enter") return { state, wish: { do: "submit", text: textOf(state.editor) } }
  if (name === "up" && textOf(state.editor) === "" && state.purpose.kind === "text")
    return { state: editLast(state, session.messages) }
  const how = editOf(key)
  if (how !== undefined) return { state: { ...state, editor: edit(state.editor, how) } }
  return text === "" ? { state } : { state: { ...state, editor: insert(state.editor, text) } }
}

function editLast(state: ScreenState, messages: readonly ShownMessage[]): ScreenState {
  const last = messages.findLast(({ sender, type }) => sender.isSelf && ["text", "reply", "thread"].includes(type))
  if (last === undefined) return state
  return { ...state, purpose: { kind: "edit", message: last.id }, editor: editorOf(last.text ?? "") }
}

/** The message before or behind the chosen one; behind the last, none. */
function choose(state: ScreenState, { messages }: ChatSession, by: 1 | -1): ScreenState {
  const at = messages.findIndex(({ id }) => id === state.chosen)
  const next = at === -1 ? (by === -1 ? messages.at(-1) : undefined) : messages[at + by]
  if (next === undefined && by === -1 && at === 0) return state
  return { ...state, chosen: next?.id }
}

function pressChosen(
  state: ScreenState & { readonly chosen: string },
  key: KeyPress,
  { session }: Surroundings,
): Pressed {
  const { name, ctrl, text } = key
  const message = session.findMessage(state.chosen)
  const none = { ...state, chosen: undefined }
  if (name === "escape" || message === undefined) return { state: none }
  if (name === "up" || (ctrl && name === "p")) {
    const isFirst = session.messages[0]?.id === state.chosen
    return { state: choose(state, session, -1), ...(isFirst ? { wish: { do: "older" } as const } : {}) }
  }
  if (name === "down" || (ctrl && name === "n")) return { state: choose(state, session, 1) }
  if (text === "r" || name === "return")
    return { state: { ...none, purpose: { kind: "reply", message: message.id }, editor: emptyEditor } }
  if (text === "+") return { state: { ...none, purpose: { kind: "react", message: message.id }, editor: emptyEditor } }
  if (text === "f" || text === "n")
    return message.fileOffer === undefined || message.sender.isSelf
      ? { state: { ...state, notice: { text: "There is nothing to fetch in that message.", isFault: true } } }
      : { state: none, wish: { do: text === "f" ? "fetch" : "decline", message: message.id } }
  if (text === "i") return { state: none, wish: { do: "evidence" } }
  if (text !== "e" && text !== "d") return { state }
  if (!message.sender.isSelf)
    return {
      state: { ...state, notice: { text: "Only your own messages can be changed or taken back.", isFault: true } },
    }
  if (text === "d") return { state: none, wish: { do: "delete", message: message.id } }
  return { state: { ...none, purpose: { kind: "edit", message: message.id }, editor: editorOf(message.text ?? "") } }
}

function pressOverlay(
  state: ScreenState & { readonly overlay: Overlay },
  key: KeyPress,
  around: Surroundings,
): Pressed {
  const { overlay } = state
  const { name, ctrl, text } = key
  const closed = { ...state, overlay: undefined, scroll: 0 }
  const isCloser = name === "escape" || (ctrl && ["k", "g", "e"].includes(name)) || name === "f1"
  if (isCloser) return { state: closed }
  const by =
    name === "up"
      ? -1
      : name === "down" || name === "tab"
        ? 1
        : name === "pageup"
          ? -around.page
          : name === "pagedown"
            ? around.page
            : 0
  switch (overlay.kind) {
    case "help":
      return { state: { ...state, scroll: clamp(state.scroll + by, around.maxScroll) } }
    case "evidence":
      if (text === "r") return { state, wish: { do: "evidence" } }
      return { state: { ...state, overlay: { ...overlay, top: clamp(overlay.top + by, around.maxScroll) } } }
    case "alarms":
      return pressAlarms({ state, by, text, closed }, overlay.at, around.session)
    case "switcher": {
      const choices = switcherChoices(around.session, textOf(overlay.filter))
      if (name === "return" || name === "enter") {
        const chosen = choices[Math.min(overlay.at, choices.length - 1)]
        if (chosen === undefined) return { state: closed }
        return {
          state: closed,
          wish: chosen.id === undefined ? { do: "open", who: chosen.name } : { do: "select", id: chosen.id },
        }
      }
      if (by !== 0)
        return { state: { ...state, overlay: { ...overlay, at: clamp(overlay.at + by, choices.length - 1) } } }
      const how = editOf(key)
      const filter = how !== undefined ? edit(overlay.filter, how) : insert(overlay.filter, text)
      return { state: { ...state, overlay: { ...overlay, filter, at: 0 } } }
    }
  }
}

interface AlarmPress {
  readonly state: ScreenState
  readonly by: number
  readonly text: string
  readonly closed: ScreenState
}

function pressAlarms({ state, by, text }: AlarmPress, at: number, { alarms }: ChatSession): Pressed {
  const chosen = alarms[Math.min(at, alarms.length - 1)]
  const moved = { ...state, overlay: { kind: "alarms", at: clamp(at + by, alarms.length - 1) } as const }
  if (chosen === undefined || (text !== "a" && text !== "x")) return { state: moved }
  const decision = text === "a" ? "accept" : "dismiss"
  if (decision === "accept" && !chosen.isAcceptable)
    return {
      state: {
        ...state,
        notice: {
          text: "There is nothing to accept here: it settles itself, or the person settles it.",
          isFault: true,
        },
      },
    }
  if (decision === "dismiss" && chosen.isStop)
    return {
      state: {
        ...state,
        notice: { text: "A stop cannot be put away: ask the person by another way first.", isFault: true },
      },
    }
  return { state: moved, wish: { do: "settle", alarm: chosen.id, decision } }
}

function clamp(value: number, max: number): number {
  return Math.max(0, Math.min(value, Math.max(0, max)))
}
