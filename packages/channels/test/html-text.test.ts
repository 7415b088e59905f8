/** What counts as the text of a profile or post, and what hides. SPEC §7.6, adversarial case P13. */
import assert from "node:assert/strict"
import { test } from "node:test"
import { proofTextsOf, readHtml } from "../src/index.ts"

const proof = `kez:r1:${"ab".repeat(32)}`

const texts: readonly (readonly [why: string, html: string, text: string])[] = [
  ["paragraphs and breaks are lines", "<p>a<br>b<br />c</p><p>d</p>", "a\nb\nc\nd"],
  ["blocks are lines", "a<div>b</div>c<ul><li>d</li><li>e</li></ul>", "a\nb\nc\nd\ne"],
  ["entities are decoded", "a &amp; b &lt;c&gt; &#x6b;ez&colon;&nbsp;d", "a & b <c> kez: d"],
  ["an unclosed tag closes with the text", "<p>a<b>b", "ab"],
  ["a closing tag alone says nothing, but for p and br", "a</b>b</p>c</br>d", "ab\nc\nd"],
  ["line feeds of the source are spaces", "a\nb\r\nc", "a b c"],
  ["but not in pre", "x<pre><code>{\n  &quot;a&quot;: 1\n}</code></pre>y", 'x\n{\n  "a": 1\n}\ny'],
  [
    "a long link of Mastodon's is whole",
    '<a href="https://other.example/"><span class="invisible">https://</span><span class="ellipsis">a.example/12</span><span class="invisible">345</span></a>',
    "https://a.example/12345",
  ],
  [
    "a mention is its name",
    '<span class="h-card"><a href="https://a.example/@b" class="u-url mention">@<span>b</span></a></span>',
    "@b",
  ],
]

for (const [why, html, text] of texts) {
  test(`readHtml() ${why}`, () => {
    assert.equal(readHtml(html).text, text)
  })
}

const hiding: readonly (readonly [what: string, html: string])[] = [
  ["a script", `<script>${proof}</script>`],
  ["a script that is never closed", `<script>${proof}`],
  ["a style", `<style>${proof}</style>`],
  ["a template", `<template><p>${proof}</p></template>`],
  ["a noscript", `<noscript>${proof}</noscript>`],
  ["a title", `<title>${proof}</title>`],
  ["a textarea", `<textarea>${proof}</textarea>`],
  ["what is shown where ruby is not", `<ruby>a<rp>${proof}</rp></ruby>`],
  ["an svg", `<svg><text>${proof}</text></svg>`],
  ["an element nobody knows", `<kez-proof>${proof}</kez-proof>`],
  ["a hidden element", `<p hidden>${proof}</p>`],
  ["an element in a hidden one", `<div hidden><p><b>${proof}</b></p></div>`],
  ["a styled element", `<p style="display:none">${proof}</p>`],
  ["an invisible element outside a link", `<span class="a invisible">${proof}</span>`],
  ["a comment", `<!-- ${proof} -->`],
  ["a comment with a trick in it", `<!--><!-- ${proof} -->`],
  ["CDATA", `<![CDATA[${proof}]]>`],
  ["a processing instruction", `<?kez ${proof} ?>`],
  ["an href", `<a href="${proof}">x</a>`],
  ["a title attribute", `<p title=" ${proof} ">x</p>`],
  ["an alt text", `<img alt="${proof}">`],
  ["a data attribute", `<p data-x=' ${proof} '>x</p>`],
]

for (const [what, html] of hiding) {
  test(`P13 readHtml() does not count ${what}`, () => {
    const { text, preformatted } = readHtml(`a ${html} `)
    assert.doesNotMatch(text, /kez:r1/)
    assert.deepEqual(preformatted, [])
  })
}

test("P13 readHtml() counts what comes after a hidden element, and tells what is in it for near misses", () => {
  const { text, hidden } = readHtml(`<p hidden>${proof}</p><p>seen</p>`)
  assert.equal(text, "seen")
  assert.equal(hidden, proof)
})

test("proofTextsOf() gives JSON of a pre as a text of its own, for the fence around it became the element", () => {
  const json = '{\n  "kez": "claim"\n}'
  const html = readHtml(`<p>My proof</p><pre><code>${json}</code></pre><pre>other</pre>`)
  assert.deepEqual(proofTextsOf(html), [`My proof\n${json}\nother`, json])
  assert.deepEqual(proofTextsOf(readHtml(`<pre>${json}</pre>`)), [json])
})

test("readHtml() takes eight pre elements as texts of their own, and no more", () => {
  assert.equal(readHtml("<pre>{}</pre>".repeat(9)).preformatted.length, 8)
})

test("readHtml() ends in time on what is built to take long", () => {
  const began = performance.now()
  const deep = `${"<b>".repeat(150_000)}${"</x>".repeat(140_000)}${proof}`
  const many = [
    deep,
    "<p>".repeat(300_000),
    "<".repeat(1_000_000),
    "&".repeat(1_000_000),
    `<a ${"b ".repeat(500_000)}>`,
    "<!--".repeat(250_000),
    "</p>".repeat(250_000),
    "<a href='".repeat(100_000),
    "<pre>".repeat(200_000),
  ]
  for (const html of many) {
    const { text } = readHtml(html)
    assert.ok(text.length <= html.length, html.slice(0, 20))
    assert.doesNotMatch(text, /kez:r1/)
  }
  assert.ok(performance.now() - began < 5_000, `${performance.now() - began} ms`)
})

test("readHtml() stops at elements nested deeper than anybody writes", () => {
  const nest = (depth: number) => `${"<b>".repeat(depth)}${proof}${"</b>".repeat(depth)}<p>after</p>`
  assert.equal(readHtml(nest(256)).text, `${proof}\nafter`)
  assert.equal(readHtml(nest(257)).text, "")
})
