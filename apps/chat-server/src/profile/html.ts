/** HTML as text: everything that is put into it is escaped unless it is HTML already. */

/** Text that may stand in a page as it is. */
export interface Html {
  readonly html: string
}

type Part = string | Html | undefined | readonly Html[]

const escapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

export function html(texts: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return { html: texts.map((text, at) => text + formatPart(parts[at])).join("") }
}

function formatPart(part: Part): string {
  if (part === undefined) return ""
  if (typeof part === "string") return part.replaceAll(/[&<>"']/g, (character) => escapes[character] ?? "")
  return "html" in part ? part.html : part.map((one) => one.html).join("")
}
