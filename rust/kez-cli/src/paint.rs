//! Colours: the marks at the beginning of lines, and nothing that is told by colour alone.

const GREEN: &str = "\u{1b}[32m";
const YELLOW: &str = "\u{1b}[33m";
const RED: &str = "\u{1b}[31m";
const RESET: &str = "\u{1b}[0m";

/// The text with its marks in colour, if there are to be any.
pub fn paint(text: &str, is_coloured: bool) -> String {
    if !is_coloured {
        return text.to_owned();
    }
    text.split_inclusive('\n').map(paint_line).collect()
}

fn paint_line(line: &str) -> String {
    let start = line.trim_start_matches([' ', '│', '├', '└', '─']);
    let Some(mark) = start.chars().next() else { return line.to_owned() };
    let colour = match mark {
        '✓' => GREEN,
        '!' | '?' => YELLOW,
        '✗' => RED,
        _ => return line.to_owned(),
    };
    line.replacen(mark, &format!("{colour}{mark}{RESET}"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_marks_at_the_beginning_are_painted() {
        assert_eq!(paint("✓ a ✗\nb !\n", true), "\u{1b}[32m✓\u{1b}[0m a ✗\nb !\n");
        assert_eq!(paint("✓ a\n", false), "✓ a\n");
    }
}
