//! Elements of HTML in each other: the tokens of the HTML standard, and of its tree what well-nested HTML needs. AP-8.
//!
//! A whole tree builder would keep hundreds of thousands of hostile elements open; here reading ends at the 257th. What
//! is not well nested may come out otherwise than in browsers, which SPEC allows.

use html5gum::{DefaultEmitter, HtmlString, StartTag, Token, Tokenizer};

use crate::limits::MAX_HTML_DEPTH;

/// A piece of a document.
#[derive(Debug)]
pub enum Node {
    /// Characters, entities decoded.
    Text(String),
    /// An element.
    Element(Element),
}

/// An element, and what of its attributes matters.
#[derive(Debug)]
pub struct Element {
    /// In lower case.
    pub name: String,
    /// Has an attribute `hidden` or `style`.
    pub is_hidden: bool,
    /// Has the class `invisible`.
    pub is_invisible: bool,
    /// What is in it.
    pub children: Vec<Node>,
}

const VOID: &str = "area base br col embed hr img input link meta param source track wbr basefont bgsound frame keygen";
/// Those that close an open paragraph (HTML, "in body").
const CLOSES_P: &str = "address article aside blockquote center details dialog dir div dl fieldset figcaption figure footer \
    header hgroup main menu nav ol p search section summary ul h1 h2 h3 h4 h5 h6 pre listing form li dd dt plaintext hr xmp \
    table";
/// Those that end foreign content (HTML, "in foreign content").
const BREAKS_OUT: &str = "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li \
    listing menu meta nobr ol p pre ruby s small span strong strike sub sup table tt u ul var";
/// Nothing outside of these is closed by an end tag inside.
const SCOPE: &str = "table td th caption template object applet marquee svg math select button";
const FORMATTING: &str = "a b big code em font i nobr s small strike strong tt u";

/// The document, up to an element nested deeper than 256.
pub fn parse(html: &str) -> Vec<Node> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut builder = Builder { open: Vec::new(), roots: Vec::new(), skip_line_feed: false };
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        let is_within_depth = match token {
            Token::StartTag(tag) => builder.start(&tag),
            Token::EndTag(tag) => {
                builder.end(&name_of(&tag.name));
                true
            }
            Token::String(text) => {
                builder.text(&String::from_utf8_lossy(&text.value));
                true
            }
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => true,
        };
        if !is_within_depth {
            break;
        }
    }
    builder.close_to(0);
    builder.roots
}

struct Builder {
    open: Vec<Element>,
    roots: Vec<Node>,
    /// A line feed right after `<pre>` is none.
    skip_line_feed: bool,
}

impl Builder {
    /// False at an element nested deeper than 256.
    fn start(&mut self, tag: &StartTag<()>) -> bool {
        let name = name_of(&tag.name);
        if matches!(name.as_str(), "html" | "head" | "body") {
            return true;
        }
        self.leave_foreign(&name);
        self.close_implied(&name);
        if self.open.len() >= MAX_HTML_DEPTH {
            return false;
        }
        let attribute = |wanted: &str| tag.attributes.iter().find(|(name, _)| name_of(name) == wanted);
        let classes = attribute("class").map(|(_, value)| name_and_case_of(&value.value)).unwrap_or_default();
        let is_closed = is_one_of(&name, VOID) || tag.self_closing && (self.is_foreign() || is_foreign_root(&name));
        self.skip_line_feed = matches!(name.as_str(), "pre" | "listing");
        self.open.push(Element {
            is_hidden: attribute("hidden").is_some() || attribute("style").is_some(),
            is_invisible: classes.split_ascii_whitespace().any(|class| class == "invisible"),
            children: Vec::new(),
            name,
        });
        if is_closed {
            self.close_to(self.open.len() - 1);
        }
        true
    }

    fn end(&mut self, name: &str) {
        self.skip_line_feed = false;
        let in_scope = self.open.iter().rposition(|element| element.name == name || is_one_of(&element.name, SCOPE));
        let is_open = in_scope.is_some_and(|at| self.open.get(at).is_some_and(|element| element.name == name));
        match (name, in_scope) {
            (_, Some(at)) if is_open => self.close_to(at),
            ("p", _) => {
                self.push(Node::Element(plain("p")));
            }
            ("br", _) => self.push(Node::Element(plain("br"))),
            // A table, a select or an image ends whatever is open in it.
            _ if is_one_of(name, SCOPE) => {
                if let Some(at) = self.open.iter().rposition(|element| element.name == name) {
                    self.close_to(at);
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let text =
            if std::mem::take(&mut self.skip_line_feed) { text.strip_prefix('\n').unwrap_or(text) } else { text };
        self.push(Node::Text(text.to_owned()));
    }

    fn push(&mut self, node: Node) {
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.roots.push(node),
        }
    }

    /// Closes the open elements from this depth on.
    fn close_to(&mut self, depth: usize) {
        while self.open.len() > depth {
            let Some(element) = self.open.pop() else { return };
            self.push(Node::Element(element));
        }
    }

    fn is_foreign(&self) -> bool {
        self.open.iter().any(|element| is_foreign_root(&element.name))
    }

    fn leave_foreign(&mut self, name: &str) {
        let root = self.open.iter().position(|element| is_foreign_root(&element.name));
        if let Some(at) = root.filter(|_| is_one_of(name, BREAKS_OUT)) {
            self.close_to(at);
        }
    }

    /// End tags that HTML leaves out.
    fn close_implied(&mut self, name: &str) {
        match name {
            "li" => self.close_last("li", "ul ol menu dir"),
            "dt" | "dd" => {
                self.close_last("dt", "dl");
                self.close_last("dd", "dl");
            }
            "td" | "th" => {
                self.close_last("td", "tr table");
                self.close_last("th", "tr table");
            }
            "tr" => self.close_last("tr", "table"),
            "tbody" | "thead" | "tfoot" => {
                for part in ["tbody", "thead", "tfoot", "caption", "colgroup"] {
                    self.close_last(part, "table");
                }
            }
            "option" | "optgroup" => self.close_last("option", "select datalist"),
            "rt" | "rp" => {
                self.close_last("rt", "ruby");
                self.close_last("rp", "ruby");
            }
            "a" => self.close_last("a", SCOPE),
            _ => {}
        }
        if is_one_of(name, CLOSES_P) {
            self.close_last("p", SCOPE);
        }
        if is_heading(name) && self.open.last().is_some_and(|element| is_heading(&element.name)) {
            self.close_to(self.open.len() - 1);
        }
    }

    /// Closes the last open element of this name, unless one of the others is open in it.
    fn close_last(&mut self, name: &str, but_for: &str) {
        let at = self.open.iter().rposition(|element| element.name == name || is_one_of(&element.name, but_for));
        if let Some(at) = at.filter(|at| self.open.get(*at).is_some_and(|element| element.name == name)) {
            self.reopen_formatting(at);
        }
    }

    /// Browsers open again what formats text and was not closed: it hides what follows as well.
    fn reopen_formatting(&mut self, at: usize) {
        let again: Vec<_> =
            self.open.iter().skip(at + 1).filter(|it| is_one_of(&it.name, FORMATTING)).map(like).collect();
        self.close_to(at);
        self.open.extend(again);
    }
}

fn plain(name: &str) -> Element {
    Element { name: name.to_owned(), is_hidden: false, is_invisible: false, children: Vec::new() }
}

fn like(element: &Element) -> Element {
    let Element { name, is_hidden, is_invisible, .. } = element;
    Element { is_hidden: *is_hidden, is_invisible: *is_invisible, ..plain(name) }
}

fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

fn is_foreign_root(name: &str) -> bool {
    matches!(name, "svg" | "math")
}

fn is_one_of(name: &str, list: &str) -> bool {
    list.split_ascii_whitespace().any(|it| it == name)
}

fn name_of(name: &HtmlString) -> String {
    name_and_case_of(name).to_ascii_lowercase()
}

fn name_and_case_of(text: &HtmlString) -> String {
    String::from_utf8_lossy(text).into_owned()
}
