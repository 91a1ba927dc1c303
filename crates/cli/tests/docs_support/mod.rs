//! Fenced blocks of a document, and JSON as a document shows it.

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// What follows the fence: `json request`.
    pub info: String,
    /// Its lines, each with its end.
    pub text: String,
    /// The number of the line of its fence, from 1: the place of its first line, from 0.
    pub line: usize,
}

/// The fenced blocks of a document, in their order.
pub fn blocks(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<Block> = None;
    for (at, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(info), None) => open = Some(Block { info: info.to_owned(), text: String::new(), line: at + 1 }),
            (None, Some(block)) => block.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block does not end");
    found
}

/// JSON without the space between its parts, all else as it is.
pub fn minified(json: &str) -> String {
    let (mut out, mut quoted, mut escaped) = (String::new(), false, false);
    for c in json.chars() {
        if quoted || !c.is_whitespace() {
            out.push(c);
        }
        quoted = if c == '"' && !escaped { !quoted } else { quoted };
        escaped = quoted && c == '\\' && !escaped;
    }
    out
}

/// Longest line that is not broken.
const LINE: usize = 170;

enum Node {
    Atom(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

/// JSON with line breaks where it does not fit a line; order and values stay.
pub fn pretty(json: &str) -> String {
    let mut rest = json;
    let node = node(&mut rest);
    assert!(rest.trim().is_empty(), "more after the JSON: {rest}");
    broken(&node, 0) + "\n"
}

fn node(rest: &mut &str) -> Node {
    match rest.chars().next() {
        Some('{') => Node::Map(items(rest, '}', |rest| {
            let Node::Atom(key) = node(rest) else { panic!("a key is a text") };
            *rest = rest.strip_prefix(':').expect("a colon");
            (key, node(rest))
        })),
        Some('[') => Node::List(items(rest, ']', node)),
        Some('"') => {
            let mut escaped = false;
            let end = rest.char_indices().skip(1).find(|(_, c)| {
                let ends = *c == '"' && !escaped;
                escaped = *c == '\\' && !escaped;
                ends
            });
            atom(rest, end.expect("a text ends").0 + 1)
        }
        _ => atom(rest, rest.find([',', '}', ']']).unwrap_or(rest.len())),
    }
}

fn atom(rest: &mut &str, length: usize) -> Node {
    let (atom, after) = rest.split_at(length);
    *rest = after;
    Node::Atom(atom.to_owned())
}

fn items<T>(rest: &mut &str, end: char, mut item: impl FnMut(&mut &str) -> T) -> Vec<T> {
    let mut found = Vec::new();
    *rest = &rest[1..];
    while !rest.starts_with(end) {
        *rest = rest.strip_prefix(',').unwrap_or(rest);
        found.push(item(rest));
    }
    *rest = &rest[1..];
    found
}

fn whole(node: &Node) -> String {
    match node {
        Node::Atom(atom) => atom.clone(),
        Node::List(items) => format!("[{}]", items.iter().map(whole).collect::<Vec<_>>().join(", ")),
        Node::Map(items) => {
            format!("{{{}}}", items.iter().map(|(key, value)| format!("{key}: {}", whole(value))).collect::<Vec<_>>().join(", "))
        }
    }
}

/// A node that starts `indent` characters into its line: in one line, or filled up to the longest line.
fn broken(node: &Node, indent: usize) -> String {
    let line = whole(node);
    if line.chars().count() + indent <= LINE {
        return line;
    }
    let gap = format!("\n{}", " ".repeat(indent + 2));
    match node {
        Node::Atom(_) => line,
        // Each item is a line of its own, however long.
        Node::List(items) => format!("[{gap}{}]", items.iter().map(whole).collect::<Vec<_>>().join(&format!(",{gap}"))),
        Node::Map(items) => {
            let mut out = String::from("{");
            let mut room = 0;
            for (at, (key, value)) in items.iter().enumerate() {
                let part = format!("{key}: {}", broken(value, indent + 2));
                let length = part.chars().count() + 2;
                let fits = !part.contains('\n') && length <= room;
                out.push_str(if at > 0 { "," } else { "" });
                out.push_str(if fits { " " } else { &gap });
                room = if part.contains('\n') { 0 } else { (if fits { room } else { LINE - indent }).saturating_sub(length) };
                out.push_str(&part);
            }
            out + "}"
        }
    }
}
