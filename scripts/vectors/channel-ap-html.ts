/** Cases of vectors/channel-ap.json about HTML as text: what counts, what breaks lines, what hides. SPEC §7.6 AP-8. */
import { actor, actorUrl, at, featured, jrd, proof } from "./ap-place.ts"
import { absent, channelCase, found } from "./channel-case.ts"
import type { VectorCase } from "./vector-file.ts"

/** Each with a paragraph after it that holds the proof, so that the whole text is seen. */
const texts: readonly (readonly [id: string, why: string, html: string, text: string])[] = [
  ["lines", "paragraphs and breaks are lines", "<p>a<br>b<br />c</p><p>d</p>", "a\nb\nc\nd"],
  ["blocks", "blocks begin and end lines", "a<div>b</div>c<ul><li>d</li><li>e</li></ul>", "a\nb\nc\nd\ne"],
  ["empty-blocks", "a line that has just begun is not begun again", "<div><div><p>a</p></div></div><p></p>b", "a\nb"],
  ["two-breaks", "each break is one", "a<br><br>b<p>c</p>", "a\n\nb\nc"],
  ["entities", "entities are decoded", "a &amp; b &lt;c&gt; &#x6b;ez&colon;&nbsp;d", "a & b <c> kez: d"],
  ["line-feeds", "line feeds of the source are spaces", "a\nb\r\nc", "a b c"],
  ["spaces", "spaces stay as they are", "<p>a  b </p> c", "a  b \n c"],
  ["pre", "but in pre they stay", "x<pre>a\n  b\r\nc</pre>y", "x\na\n  b\nc\ny"],
  ["inline", "elements in a line break nothing", "a<b>b</b><span>c</span><code>d</code>", "abcd"],
  [
    "long-link",
    "the parts of a long link that are not shown",
    '<a href="https://o.example"><span class="invisible">https://</span><span>a.example/1</span><span class="invisible">2</span></a>',
    "https://a.example/12",
  ],
  ["invisible", "which hide elsewhere", 'a<span class="x invisible">b</span>c', "ac"],
  ["unknown", "an element that nobody knows hides", "a<kez-proof><b>b</b></kez-proof>c", "ac"],
  ["style", "one with a style hides", 'a<span style="">b</span>c', "ac"],
  ["ruby", "what browsers show where they cannot show ruby", "<ruby>a<rp>(</rp><rt>b</rt><rp>)</rp></ruby>", "ab"],
  ["attributes", "attributes and comments never count", '<p title="b">a</p><img alt="b"><!-- b -->', "a"],
  ["hidden-lines", "a hidden block breaks no line", "a<p hidden>b</p>c", "ac"],
]

export function apHtml(): readonly VectorCase[] {
  const json = '{"kez":"claim"}'
  const deep = (depth: number) => `${"<b>".repeat(depth)}${proof}${"</b>".repeat(depth)}`
  return [
    ...texts.map(([id, why, html, text]) =>
      channelCase(
        `html-${id}`,
        why,
        at(jrd(), actor({ summary: `${html}<p>${proof}</p>` })),
        found(actorUrl, [[`${text}\n${proof}`, actorUrl]]),
      ),
    ),
    channelCase(
      "html-pre-json",
      "JSON in a pre is a text of its own, for the fence around it became the element",
      at(jrd(), actor({ summary: `<p>Mine</p><pre><code>${json}</code></pre>` }), featured()),
      found(actorUrl, [[json, actorUrl]]),
    ),
    channelCase(
      "html-deep",
      "256 elements in each other",
      at(jrd(), actor({ summary: deep(256) })),
      found(actorUrl, [[proof, actorUrl]]),
    ),
    channelCase("html-deeper", "and one more", at(jrd(), actor({ summary: deep(257) }), featured()), absent()),
    channelCase(
      "html-map",
      "a summary by languages",
      at(jrd(), actor({ summaryMap: { de: "Hallo", en: proof } })),
      found(actorUrl, [[proof, actorUrl]]),
    ),
  ]
}
