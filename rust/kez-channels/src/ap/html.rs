//! HTML to the text that people see. SPEC AP-8: an allow-list of elements; whatever is hidden or styled does not count.

use super::tree::{Element, Node, parse};
use crate::limits::MAX_PRE_TEXTS;

const SHOWN: &str = "a abbr address article b bdi bdo big blockquote body br center cite code dd del dfn div dl dt em font \
    footer h1 h2 h3 h4 h5 h6 header hr html i img ins kbd li main mark ol p pre q rt ruby s samp section small span strike \
    strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr";
const LINES: &str = "address article blockquote body center dd div dl dt footer h1 h2 h3 h4 h5 h6 header hr html li main ol \
    p pre section table tbody td tfoot th thead tr ul";

/// The whole text first, then the content of each `pre` that may be JSON.
pub fn texts(html: &str) -> Vec<String> {
    let tree = parse(html);
    let whole = read(&tree);
    let mut pres = Vec::new();
    collect_pres(&tree, false, &mut pres);
    let of_pres = pres.into_iter().filter(|text| text.starts_with('{') && *text != whole);
    let of_pres = of_pres.collect::<Vec<_>>();
    std::iter::once(whole).chain(of_pres).collect()
}

/// What of these is shown, in lines, without white space at its ends.
fn read(nodes: &[Node]) -> String {
    let mut reader = Reader { text: String::new() };
    reader.nodes(nodes, State { in_link: false, in_pre: false });
    let text = reader.text.replace("\r\n", "\n").replace('\u{a0}', " ");
    kez_core::text::trim(&text).to_owned()
}

#[derive(Clone, Copy)]
struct State {
    in_link: bool,
    in_pre: bool,
}

struct Reader {
    text: String,
}

impl Reader {
    fn nodes(&mut self, nodes: &[Node], state: State) {
        for node in nodes {
            match node {
                Node::Text(text) if state.in_pre => self.text.push_str(text),
                Node::Text(text) => self.text.push_str(&text.replace("\r\n", "\n").replace('\n', " ")),
                Node::Element(element) if is_shown(element, state.in_link) => self.element(element, state),
                Node::Element(_) => {}
            }
        }
    }

    fn element(&mut self, element: &Element, state: State) {
        if element.name == "br" {
            return self.text.push('\n');
        }
        let is_line = is_one_of(&element.name, LINES);
        if is_line {
            self.begin_line();
        }
        let in_link = state.in_link || element.name == "a";
        let in_pre = state.in_pre || element.name == "pre";
        self.nodes(&element.children, State { in_link, in_pre });
        if is_line {
            self.begin_line();
        }
    }

    fn begin_line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
    }
}

fn is_shown(element: &Element, in_link: bool) -> bool {
    is_one_of(&element.name, SHOWN) && !element.is_hidden && (in_link || !element.is_invisible)
}

/// The text of the first `pre` elements that are shown.
fn collect_pres(nodes: &[Node], in_link: bool, pres: &mut Vec<String>) {
    for node in nodes {
        let Node::Element(element) = node else { continue };
        if !is_shown(element, in_link) || pres.len() >= MAX_PRE_TEXTS {
            continue;
        }
        if element.name == "pre" {
            let mut reader = Reader { text: String::new() };
            reader.element(element, State { in_link, in_pre: true });
            let text = reader.text.replace("\r\n", "\n").replace('\u{a0}', " ");
            pres.push(kez_core::text::trim(&text).to_owned());
        }
        collect_pres(&element.children, in_link || element.name == "a", pres);
    }
}

fn is_one_of(name: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        texts(html).swap_remove(0)
    }

    #[test]
    fn tags_that_browsers_imply_are_implied() {
        assert_eq!(text("<p>a<p>b"), "a\nb");
        assert_eq!(text("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>"), "a\nb\nc\nd");
        assert_eq!(text("<dl><dt>a<dd>b<dt>c</dl>"), "a\nb\nc");
        assert_eq!(text("<p>a<div>b</div>c"), "a\nb\nc");
        assert_eq!(text("<table><tr><td>a<td>b<tr><td>c</table>"), "a\nb\nc");
        assert_eq!(text("a</p>b"), "a\nb");
        assert_eq!(text("a</br>b"), "a\nb");
        assert_eq!(text("a</b></x>b"), "ab");
        assert_eq!(text("<b>a</b"), "a");
        // The end of the body closes nothing that is open in it.
        assert_eq!(text("<body><p>a</body></html>b"), "ab");
    }

    #[test]
    fn what_is_hidden_is_no_text() {
        for html in [
            "<script>kez</script>",
            "<style>kez</style>",
            "<title>kez</title>",
            "<textarea>kez</textarea>",
            "<template>kez</template>",
            "<svg><text>kez</text></svg>",
            "<math><mi>kez</mi></math>",
            "<select><option>kez</select>",
            "<p hidden>kez</p>",
            "<p HIDDEN=no>kez</p>",
            "<div style=''><p>kez</p></div>",
            "<details>kez</details>",
            "<iframe>kez</iframe>",
            "<noscript>kez</noscript>",
            "<object>kez</object>",
            "<!-- kez",
            "<![CDATA[kez]]>",
            "<a href='kez'></a>",
            "<img alt=kez>",
            "<input value=kez>",
            "<x-y><p>kez</p></x-y>",
            "<span class='a invisible'>kez</span>",
        ] {
            assert_eq!(text(html), "", "{html}");
        }
    }

    #[test]
    fn a_break_out_of_foreign_content_is_shown_as_browsers_do() {
        assert_eq!(text("<svg><g><p>a</p></svg>b"), "a\nb");
        assert_eq!(text("<svg/>a"), "a");
        assert_eq!(text("<b/>a"), "a");
        assert_eq!(text("<p/>a"), "a");
    }

    #[test]
    fn pre_texts_stand_on_their_own() {
        assert_eq!(texts("<pre>\n{1}</pre><p>x</p><pre hidden>{2}</pre><pre> {3}</pre>")[1..], ["{1}", "{3}"]);
        assert_eq!(texts("<pre>{1}</pre>").len(), 1);
    }

    #[test]
    fn hostile_nesting_ends_the_reading_soon() {
        let html = format!("{}<p>kez", "<x>".repeat(200_000));
        assert_eq!(text(&html), "");
        let html = format!("{}kez", "<p><b>".repeat(100_000));
        assert!(text(&html).len() < 10);
    }
}
