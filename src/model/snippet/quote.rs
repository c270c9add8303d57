//! Quoting of a value inside the text of another language, so that it is read back unchanged. Every result is wiped
//! when dropped, since the value may be a secret.

use zeroize::Zeroizing;

/// Function that writes a value in the syntax of a language.
pub(super) type Quote = fn(&str) -> Zeroizing<String>;

/// Joins the parts in memory that is allocated once, so that no copy stays behind.
pub(super) fn joined(parts: &[&str]) -> Zeroizing<String> {
    let mut text = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| text.push_str(part));
    Zeroizing::new(text)
}

/// Largest number of bytes that one byte becomes.
const WIDEST: usize = 6;

fn escaped(open: &str, text: &str, close: &str, escape: impl Fn(char, Option<char>, &mut String)) -> Zeroizing<String> {
    let room = text.len() * WIDEST + open.len() + close.len();
    let mut out = Zeroizing::new(String::with_capacity(room));
    out.push_str(open);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        escape(c, chars.peek().copied(), &mut out);
    }
    out.push_str(close);
    out
}

/// Returns the text without quotes around it.
pub(super) fn plain(text: &str) -> Zeroizing<String> {
    joined(&[text])
}

/// Returns `true` if some reader takes the character for a line end, or refuses it in a string.
fn is_unprintable(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn push_c_like(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if is_unprintable(c) => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

/// Writes `"…"` in the way that JSON, YAML, TOML, JavaScript, Java, Go, C# and Python all read it.
pub(super) fn double(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, _, out| push_c_like(c, out))
}

/// Writes `"…"` of YAML or TOML for readers that first replace `$NAME` and `${NAME}`, and `$$` by one dollar: the
/// OpenTelemetry Collector, Grafana, Vector.
pub(super) fn double_dollars(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, _, out| match c {
        '$' => out.push_str("$$"),
        c => push_c_like(c, out),
    })
}

/// Writes `"…"` of HCL, where `${` and `%{` begin a template.
pub(super) fn hcl(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, next, out| match (c, next) {
        ('$' | '%', Some('{')) => {
            out.push(c);
            out.push(c);
        }
        (c, _) => push_c_like(c, out),
    })
}

/// Writes `"…"` of Rust.
pub(super) fn rust(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, _, out| match c {
        '\n' | '\r' | '\t' | '"' | '\\' => push_c_like(c, out),
        c if is_unprintable(c) => out.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
        c => out.push(c),
    })
}

/// Writes `'…'` of a POSIX shell.
pub(super) fn shell(text: &str) -> Zeroizing<String> {
    escaped("'", text, "'", |c, _, out| match c {
        '\'' => out.push_str("'\\''"),
        c => out.push(c),
    })
}

/// Writes `'…'` of PowerShell, which takes typographic quotes for quotes too.
pub(super) fn powershell(text: &str) -> Zeroizing<String> {
    escaped("'", text, "'", |c, _, out| {
        if matches!(c, '\'' | '\u{2018}'..='\u{201b}') {
            out.push(c);
        }
        out.push(c);
    })
}

/// Writes `'…'` of Ruby and PHP: every character but the quote and the backslash stands for itself.
pub(super) fn single(text: &str) -> Zeroizing<String> {
    escaped("'", text, "'", |c, _, out| {
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    })
}

/// Writes `'…'` of RainerScript, where a dollar needs no escape and escapes are those of C.
pub(super) fn rainer(text: &str) -> Zeroizing<String> {
    escaped("'", text, "'", |c, _, out| match c {
        '\'' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c => out.push(c),
    })
}

/// Writes `"…"` of Fluentd, where `#{` begins Ruby.
pub(super) fn fluentd(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, _, out| match c {
        '#' => out.push_str("\\#"),
        '"' | '\\' | '\n' | '\r' | '\t' => push_c_like(c, out),
        c => out.push(c),
    })
}

/// Writes a value of systemd's `EnvironmentFile=`: line ends stand for themselves, nothing is replaced.
pub(super) fn environment_file(text: &str) -> Zeroizing<String> {
    escaped("\"", text, "\"", |c, _, out| {
        if matches!(c, '"' | '\\' | '`' | '$') {
            out.push('\\');
        }
        out.push(c);
    })
}

/// Writes a value inside `"…"` of a unit of systemd, without the quotes: `%` begins a specifier.
pub(super) fn unit(text: &str) -> Zeroizing<String> {
    escaped("", text, "", |c, _, out| match c {
        '%' => out.push_str("%%"),
        '\n' => out.push_str("\\n"),
        '"' | '\\' => {
            out.push('\\');
            out.push(c);
        }
        c => out.push(c),
    })
}

/// Writes a value of a file `.env`, for its many readers: bare where possible, otherwise in single quotes, which leave
/// all of it unchanged, and escaped as a shell reads it only where neither will do.
pub(super) fn dotenv(text: &str) -> Zeroizing<String> {
    let is_bare = |c: char| c.is_ascii_alphanumeric() || "-_./:=+@,%".contains(c);
    if !text.is_empty() && text.chars().all(is_bare) {
        return plain(text);
    }
    if !text.contains(['\'', '\\']) {
        return shell(text);
    }
    environment_file(text)
}

/// Writes `"…"` of YAML for readers that replace `${NAME}` and have no sure escape for it: Beats, Elastic Agent, Fluent
/// Bit. `None` if the text contains `${`.
pub(super) fn double_unless_named(text: &str) -> Option<Zeroizing<String>> {
    (!text.contains("${")).then(|| double(text))
}

/// Writes a string of Logstash, which has no escapes, in whichever quotes are not in it. `None` if both are, if the
/// text ends with a backslash, or if `${` would name a variable.
pub(super) fn logstash(text: &str) -> Option<Zeroizing<String>> {
    if text.contains("${") || text.ends_with('\\') {
        return None;
    }
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => Some(joined(&["\"", text, "\""])),
        (true, false) => Some(joined(&["'", text, "'"])),
        (true, true) => None,
    }
}
