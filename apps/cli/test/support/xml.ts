/** A strict reader of XML elements, attributes and text, for drawings: what it accepts, every XML parser accepts. */

export interface Element {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: readonly Element[]
  /** Text of this element alone, entities resolved. */
  readonly text: string
}

const entities: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" }
const forbidden = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u
const tag = /<(\/?)([a-zA-Z][\w:-]*)((?:\s+[a-zA-Z][\w:-]*="[^"<]*")*)\s*(\/?)>/y
const attribute = /\s+([a-zA-Z][\w:-]*)="([^"<]*)"/g

interface Open {
  readonly name: string
  readonly attributes: ReadonlyMap<string, string>
  readonly children: Element[]
  text: string
}

/** Throws where the text is not one well-formed element. */
export function parseXml(source: string): Element {
  const found = forbidden.exec(source)
  if (found !== null) throw new Error(`a character that XML does not have: ${found[0].codePointAt(0)?.toString(16)}`)
  const root: Open = { name: "", attributes: new Map(), children: [], text: "" }
  const stack: Open[] = [root]
  let at = 0
  while (at < source.length) {
    const top = stack.at(-1) ?? root
    const next = source.indexOf("<", at)
    top.text += resolve(source.slice(at, next === -1 ? source.length : next))
    if (next === -1) break
    tag.lastIndex = next
    const match = tag.exec(source)
    if (match === null) throw new Error(`no tag: ${source.slice(next, next + 60)}`)
    at = tag.lastIndex
    const [, slash, name = "", attributes = "", isEmpty] = match
    if (slash === "/") {
      const closed = stack.pop()
      if (closed?.name !== name || stack.length === 0) throw new Error(`</${name}> closes <${closed?.name}>`)
      stack.at(-1)?.children.push(closed)
    } else if (isEmpty === "/")
      top.children.push({ name, attributes: readAttributes(attributes), children: [], text: "" })
    else stack.push({ name, attributes: readAttributes(attributes), children: [], text: "" })
  }
  const [only, ...others] = root.children
  if (stack.length !== 1 || only === undefined || others.length > 0 || root.text.trim() !== "") {
    throw new Error("expected one element with everything in it")
  }
  return only
}

export function* elementsOf(element: Element): Generator<Element> {
  yield element
  for (const child of element.children) yield* elementsOf(child)
}

function readAttributes(source: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>()
  for (const [, name = "", value = ""] of source.matchAll(attribute)) {
    if (attributes.has(name)) throw new Error(`${name} twice`)
    attributes.set(name, resolve(value))
  }
  return attributes
}

function resolve(text: string): string {
  if (text.includes("]]>")) throw new Error("]]> in text")
  return text.replace(/&([^;]*);?/g, (whole, name: string) => {
    const char = whole.endsWith(";") ? entities[name] : undefined
    if (char === undefined) throw new Error(`not an entity: ${whole.slice(0, 20)}`)
    return char
  })
}
